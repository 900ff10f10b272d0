// Names of users and keys (ByteString, all that is public there): visible to whoever imports this module.
@_exported public import GalletaPlatform
