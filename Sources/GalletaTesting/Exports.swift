// One import is enough for a test: the application with all that it brings, and a clock that the test moves.
@_exported public import Galleta
@_exported public import SessionsTesting
