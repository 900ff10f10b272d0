internal import GalletaPlatform

/// Which program this process is: what `ctl`, which the parser makes by itself, knows of the command that it belongs to.
struct ServerIdentity: Sendable {
    /// What the names of its environment variables begin with.
    var environmentPrefix = "GALLETA_"
    /// The command's name.
    var commandName = "galleta-server"

    /// The variable that has the address of the control socket.
    var controlVariable: String { environmentPrefix + "CONTROL" }

    /// Where the control socket is if nobody says: as `deploy/install` has it.
    var controlSocket: String {
        let name = commandName.hasSuffix("-server") ? String(commandName.dropLast(7)) : commandName
        return "/run/\(name)/control.sock"
    }

    private static let shared = Locked(ServerIdentity())

    static var current: ServerIdentity {
        get { shared.withLock { $0 } }
        set { shared.withLock { $0 = newValue } }
    }
}
