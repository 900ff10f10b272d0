import Foundation
import TestSupport

/// Users who log in, look who they are, and log out.
struct LogIns {
    static let kind = "log-ins"
    let nginx: Nginx
    let users: Users

    func start(_ load: Load, threads: Int) {
        load.start(Self.kind, threads: threads) { number in
            let user = users[number]
            let browser = try Browser(nginx)
            return {
                let token = try browser.token()
                let anonymous = browser.cookie
                let form = [("csrf", token), ("username", user.name), ("password", user.password)]
                let reply = try browser.logIn { try browser.post("/app/login", form: form) }
                guard reply.status == 303, browser.cookie != anonymous else {
                    throw TestFailure(description: "\(user.name): \(reply.status) \(reply.text.prefix(200))")
                }
                for _ in 0..<3 { try browser.expectUser(user.name) }
                try browser.logOut()
                load.tally.add(Self.kind)
            }
        }
    }
}
