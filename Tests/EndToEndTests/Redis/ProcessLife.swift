import Glibc

/// Whether there is a process of this id; a dead one that nobody has waited for counts.
func isAlive(_ pid: Int32) -> Bool {
    kill(pid, 0) == 0 || errno != ESRCH
}
