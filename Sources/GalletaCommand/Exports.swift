// One import is enough for a program: its options, its routes, its sessions.
@_exported public import ArgumentParser
@_exported public import Galleta
