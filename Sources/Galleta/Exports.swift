// One import is enough for a program: requests and responses, sessions, and the names of methods, statuses and fields.
@_exported public import FastCGI
@_exported public import HTTPTypes
@_exported public import Sessions
