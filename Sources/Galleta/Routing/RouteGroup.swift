/// Routes that have something in common: a prefix, steps, a limit.
///
/// What is set on a group holds for all of its routes, those added before among them, and for the groups within. Make one with
/// `group(_:_:)`; an application is the outermost.
///
/// Threading: as `Application`, before it serves, from one thread.
public final class RouteGroup: RouteBuilder {
    /// Prefixes of the groups around and its own; empty or with a slash in front and none at the end.
    let prefix: String
    private let parent: RouteGroup?
    private var ownSteps: [Step] = []
    /// Where all groups of an application put their routes.
    let list: RouteList.Storage

    /// The longest body that its routes take, in bytes; a larger one is 413. Nil is the group's around it, at last
    /// `Server.Configuration.maxBodyBytes`; it may be above that.
    public var maxBodyBytes: Int?

    init(list: RouteList.Storage) {
        prefix = ""
        parent = nil
        self.list = list
    }

    init(prefix: String, in parent: RouteGroup) {
        self.prefix = parent.prefix + (prefix.utf8.last == UInt8(ascii: "/") ? String(prefix.dropLast()) : prefix)
        self.parent = parent
        list = parent.list
    }

    /// Itself.
    public var routeGroup: RouteGroup { self }

    func add(_ step: Step) {
        ownSteps.append(step)
    }

    /// Those of the groups around, and its own.
    var steps: [Step] { (parent?.steps ?? []) + ownSteps }

    var bodyLimit: Int? { maxBodyBytes ?? parent?.bodyLimit }
}
