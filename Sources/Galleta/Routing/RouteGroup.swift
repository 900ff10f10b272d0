/// Routes that have something in common: a prefix, steps, a limit.
///
/// What is set on a group holds for all of its routes, those added before among them, and for the groups within. Make one with
/// `group(_:_:)`; an application is the outermost.
///
/// Threading: as `Application`, before it serves, from one thread.
public final class RouteGroup: RouteBuilder {
    /// What is set on a group. Its routes have it, and not the group: that has the list of them.
    final class Scope {
        /// Prefixes of the groups around and its own; empty or with a slash in front and none at the end.
        let prefix: String
        private let parent: Scope?
        private var ownSteps: [Step] = []
        var ownBodyLimit: Int?

        init(_ prefix: String = "", in parent: Scope? = nil) {
            self.prefix =
                (parent?.prefix ?? "") + (prefix.utf8.last == UInt8(ascii: "/") ? String(prefix.dropLast()) : prefix)
            self.parent = parent
        }

        func add(_ step: Step) {
            ownSteps.append(step)
        }

        /// Those of the groups around, and its own.
        var steps: [Step] { (parent?.steps ?? []) + ownSteps }

        var bodyLimit: Int? { ownBodyLimit ?? parent?.bodyLimit }
    }

    let scope: Scope
    /// Where all groups of an application put their routes.
    let list: RouteList.Storage

    /// The longest body that its routes take, in bytes; a larger one is 413. Nil is the group's around it, at last
    /// `Server.Configuration.maxBodyBytes`; it may be above that.
    public var maxBodyBytes: Int? {
        get { scope.ownBodyLimit }
        set { scope.ownBodyLimit = newValue }
    }

    init(list: RouteList.Storage) {
        scope = Scope()
        self.list = list
    }

    init(prefix: String, in parent: RouteGroup) {
        scope = Scope(prefix, in: parent.scope)
        list = parent.list
    }

    /// Itself.
    public var routeGroup: RouteGroup { self }

    func add(_ step: Step) {
        scope.add(step)
    }
}
