// ByteString, the names of users, and ConfigurationError: visible to whoever imports this module.
@_exported public import GalletaPlatform
