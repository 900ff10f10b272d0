// One import is enough for a program: requests and responses, sessions, the names of methods, statuses and fields, and
// what makes a logger.
@_exported public import FastCGI
@_exported public import HTTPTypes
@_exported public import Logging
@_exported public import Sessions
