/// The frame of a snapshot's records. The file is two headers (`SnapshotHeader`), then records, the last one the end.
///
/// A record, little-endian: the header's mark 8, length of the payload 4, type 4, CRC-32C of the payload 4, CRC-32C of
/// the twenty bytes before 4, payload. The two checksums go on from the mark. Whatever byte is damaged costs one
/// record: the next mark leads to the next one.
///
/// Types: a session (1), in the form of its store. A removal (2): the id that ended, or changed, while the snapshot was taken,
/// in the form of the store. The end (3): number of session records 8, of removals 8. Of several records of one id the last
/// one counts; each removal stands twice, as losing it would bring a dead id back.
enum SnapshotFrame {
    static let byteCount = 24
    /// The most bytes of a payload; a session beyond is not written.
    static let limit = 256 << 20
}
