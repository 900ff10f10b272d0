// Names and text of PHP (ByteString, all that is public there): visible to whoever imports this module.
@_exported public import GalletaPlatform
