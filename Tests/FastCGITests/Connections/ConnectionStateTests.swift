import GalletaPlatform
import Testing

@testable import FastCGI

/// What happens goes in, what is to be done comes out: without descriptors, threads or a clock.
@Suite("The state of a connection")
struct ConnectionStateTests {
    private let limits = Server.Configuration()
    private let start = BootInstant(nanoseconds: 1_000_000_000_000)

    private func later(_ seconds: Double) -> BootInstant { start.advanced(by: .seconds(seconds)) }

    /// A connection that a worker holds.
    private func held() -> ConnectionState {
        var state = ConnectionState(generation: 7)
        state.open()
        return state
    }

    private func park(
        _ state: inout ConnectionState, _ waiting: ConnectionState.Waiting, isReadable: Bool = false,
        stage: Lifecycle.Stage = .serving, at now: BootInstant? = nil
    ) -> String {
        "\(state.park(waiting, isReadable: isReadable, stage: stage, now: now ?? start, limits))"
    }

    private func wake(_ state: inout ConnectionState, _ generation: UInt32 = 7, at now: BootInstant? = nil) -> String {
        switch state.wake(generation, now: now ?? start) {
        case .stale: "stale"
        case .noted: "noted"
        case .claimed(let waiting, let isOverdue, let isNews):
            "\("\(waiting)".prefix { $0 != "(" })\(isOverdue ? " overdue" : "")\(isNews ? "" : " known")"
        }
    }

    private func judge(_ state: inout ConnectionState, at now: BootInstant, closesIdle: Bool = false) -> String {
        switch state.judge(now, closesIdle: closesIdle) {
        case .wait(let until): until.nanoseconds == .max ? "never" : "\(start.duration(to: until))"
        case .call: "call"
        case .callForBeat: "beat"
        case .shutDownAndCall: "shut down"
        case .close(let isDue, _): isDue ? "close" : "close unless bytes came"
        case .overrun(let worker, let request): "overrun \(worker) \(request == nil ? "answered" : "unanswered")"
        }
    }

    private func exchange(_ bytes: [UInt8] = []) -> Exchange { Exchange(limits) }

    @Test("is claimed by one event; others are noted, and looked at before it is parked")
    func claims() {
        var state = held()
        #expect(park(&state, .request) == "watch(FastCGI.ConnectionState.Interest.bytes, isNew: true)")
        #expect(wake(&state) == "request")
        #expect(wake(&state) == "noted")
        #expect(park(&state, .request) == "lookAgain")
        #expect(park(&state, .request) == "parked")
        #expect(wake(&state) == "request")
    }

    @Test("events of a connection before are stale, and of none")
    func stale() {
        var state = held()
        _ = park(&state, .request)
        #expect(wake(&state, 6) == "stale")
        state.free()
        #expect(wake(&state, 7) == "stale")
        #expect(wake(&state, 8) == "stale")
        #expect(state.generation == 8)
    }

    @Test(
        "where bytes may be waiting another event is raised in place of a second look; a task's word is not forgotten")
    func readable() {
        var state = held()
        _ = park(&state, .request)
        _ = wake(&state)
        _ = wake(&state)
        #expect(
            park(&state, .request, isReadable: true) == "watch(FastCGI.ConnectionState.Interest.bytes, isNew: false)")
        let waits: [ConnectionState.Waiting] = [.handler(exchange()), .stream(exchange()), .room(exchange())]
        for waiting in waits {
            state = held()
            _ = wake(&state)
            #expect(park(&state, waiting, isReadable: true) == "lookAgain")
        }
    }

    @Test("what it waits for says what the kernel is to tell, each time anew where that might be missed")
    func interests() {
        var state = held()
        #expect(park(&state, .room(exchange())) == "watch(FastCGI.ConnectionState.Interest.room, isNew: true)")
        _ = wake(&state)
        #expect(park(&state, .room(exchange())) == "watch(FastCGI.ConnectionState.Interest.room, isNew: false)")
        _ = wake(&state)
        #expect(park(&state, .turn(following: [])) == "watch(FastCGI.ConnectionState.Interest.turn, isNew: false)")
        _ = wake(&state)
        #expect(park(&state, .request) == "watch(FastCGI.ConnectionState.Interest.bytes, isNew: false)")
        _ = wake(&state)
        #expect(park(&state, .handler(exchange())) == "parked")
    }

    @Test("one that is refused by the kernel is the worker's again")
    func takenBack() {
        var state = held()
        _ = park(&state, .request)
        state.takeBack()
        #expect(wake(&state) == "noted")
        #expect(judge(&state, at: later(1_000_000)) == "never")
    }

    @Test("a silent connection is closed at the head timeout, and after an answer at the idle timeout")
    func idle() {
        var state = held()
        _ = park(&state, .request)
        #expect(judge(&state, at: start) == "\(limits.headTimeout)")
        #expect(judge(&state, at: later(10)) == "close")
        state = held()
        state.run(on: 1, until: later(60), ConnectionState.Unanswered(exchange()))
        #expect(state.takeUnanswered() != nil)
        _ = park(&state, .request)
        #expect(judge(&state, at: later(10)) == "\(limits.idleTimeout)")
        #expect(judge(&state, at: later(120)) == "close")
    }

    @Test("bytes that come when the time is over come too late, whoever looks first")
    func late() {
        var state = held()
        _ = park(&state, .body(exchange()))
        // The deadline of an exchange without a head has passed long since.
        #expect(wake(&state, at: start) == "body overdue")
        _ = park(&state, .body(exchange()))
        #expect(judge(&state, at: start) == "call")
        #expect(wake(&state, at: start) == "body overdue known")
    }

    @Test("who is called and does not come has a second")
    func calledTwice() {
        var state = held()
        _ = park(&state, .body(exchange()))
        #expect(judge(&state, at: start) == "call")
        #expect(judge(&state, at: start) == "\(Duration.seconds(1))")
        #expect(judge(&state, at: later(1)) == "close unless bytes came")
        state = held()
        _ = park(&state, .room(exchange()))
        #expect(judge(&state, at: start) == "shut down")
        #expect(judge(&state, at: later(1)) == "close unless bytes came")
    }

    @Test("a handler past its deadline is cut once, and the connection closed when it comes back")
    func overrun() {
        var state = held()
        state.run(on: 3, until: later(60), ConnectionState.Unanswered(exchange()))
        #expect(judge(&state, at: later(59)) == "\(Duration.seconds(60))")
        #expect(judge(&state, at: later(60)) == "overrun 3 unanswered")
        #expect(judge(&state, at: later(61)) == "never")
        #expect(state.takeUnanswered() == nil)
        #expect(park(&state, .request) == "mustClose")
    }

    @Test("an answer that has gone out in the moment of its deadline has one summary")
    func answeredInTime() {
        var state = held()
        state.run(on: 3, until: later(60), ConnectionState.Unanswered(exchange()))
        #expect(state.takeUnanswered() != nil)
        #expect(judge(&state, at: later(60)) == "overrun 3 answered")
    }

    @Test("a stop closes what is idle, half heads a second after they began, and no requests under way")
    func stopping() {
        var state = held()
        _ = park(&state, .request, stage: .draining)
        #expect(judge(&state, at: start, closesIdle: true) == "close unless bytes came")
        state = held()
        #expect(park(&state, .request, stage: .closing) == "mustClose")
        let begun = exchange()
        begun.waitForHead()
        state = held()
        _ = park(&state, .head(begun), at: begun.headBegin)
        let half = begun.headBegin.advanced(by: .milliseconds(500))
        guard case .wait(let until) = state.judge(half, closesIdle: true) else {
            Issue.record("a half head is closed at once")
            return
        }
        #expect(begun.headBegin.duration(to: until) == .seconds(1))
        #expect(judge(&state, at: until, closesIdle: true) == "close unless bytes came")
        state = held()
        _ = park(&state, .farewell(left: 10, until: later(10)))
        #expect(judge(&state, at: start, closesIdle: true) == "close unless bytes came")
        state = held()
        state.run(on: 0, until: later(60), ConnectionState.Unanswered(exchange()))
        #expect(judge(&state, at: start, closesIdle: true) == "\(Duration.seconds(60))")
    }

    @Test("the end of a stop's grace cuts what is under way and closes what is idle")
    func cut() {
        var state = held()
        if case .none = state.cut() {} else { Issue.record("what a worker holds is cut") }
        state.run(on: 2, until: later(60), ConnectionState.Unanswered(exchange()))
        guard case .running(2, .some) = state.cut() else {
            Issue.record("a handler is not cut")
            return
        }
        #expect(park(&state, .request) == "mustClose")
        for (waiting, isRequest) in [
            (.request, false), (.head(exchange()), false), (.body(exchange()), true), (.handler(exchange()), true),
            (.stream(exchange()), true), (.room(exchange()), true), (.farewell(left: 1, until: start), false),
        ] as [(ConnectionState.Waiting, Bool)] {
            state = held()
            _ = park(&state, waiting)
            guard case .idle(let cut) = state.cut() else {
                Issue.record("what is idle stays open")
                continue
            }
            #expect((cut.unanswered != nil) == isRequest)
        }
    }
}
