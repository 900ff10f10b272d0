// Names in requests: visible to whoever imports this module.
@_exported public import struct GalletaPlatform.ByteString
