"""What processes were seen doing: perf's samples as stacks, and the kind of work that each is.

A stack is a string, outermost first: the program, the kind of work, and what perf saw, which is either
the program's function or functions of the kernel. Who called the program's function is left out: the
release build has no frame pointers, and its static programs have no index of their unwind tables, so
that perf would only guess.
"""

import collections
import itertools
import re

# The C library's functions before main(), and those that are a system call each.
_START = (r"_start|main$|_?dl_|libc_(start|setup|init)|handle_|get_(common|extended)_|update_active|"
          r"init_cpu|cpu_features|_?tunable|do_tunable|intel_|apply_irel")
_CALL = (r"fsync|poll|read|write|writev|open|openat|close|recvmsg|recv|sendmsg|send|unlink|link|rename|"
         r"fstatat|stat|fstat|lseek|pipe2?|dup2|chdir|sigprocmask|pread64?")
# The first whose sign is there is a stack's kind. A program's functions come after "user;".
KINDS = {
    "starting programs":
        rf"_sys_(execve|clone3?|v?fork|exit_group|wait4)|ret_from_fork|^user;(_*({_START})|\w*[fF]ork$)",
    "syncs": r"_sys_(fsync|fdatasync|syncfs|sync_file_range)",
    "page faults": r"exc_page_fault|_sys_(mmap|munmap|mprotect|brk)",
    "scheduling": r"\b_*(schedule|rseq_handle_notify_resume)(;|$)|try_to_wake_up|^(asm_|irqentry)",
    "network": r"\b(tcp|inet6?)_",
    "file names": r"_sys_(newf?stat|openat|unlink|link|rename|mkdir|chmod|readlink|getdents)",
    "pipes": r"\b(anon_pipe|fifo_pipe|pipe|unix)_|_sys_pipe",
    "kernel entry": rf"^kernel$|^user;_*(libc_|GI_+)?({_CALL})(64)?$",
    "other calls": r"sys_|^exit_to_user_mode_loop",
    "own code": r"^user;",
    "not known": r"",
}
_PLUMBING = re.compile(r"\[unknown\]|asm_exc_|entry_SYSCALL_|(do_syscall_64|x64_sys_call|\w*pvm_irq_enable)$")


def fold(lines):
    """How often each stack was seen, from what perf script -F comm,ip,sym prints."""
    folded = collections.Counter()
    program, frames = None, []
    for line in itertools.chain(lines, [""]):
        if line[:1].isspace() and line.strip():
            frames.append(line.strip().split(" ", 1))
        elif line.strip():
            program = line.strip()
        elif program:
            seen = _seen(frames)
            folded[f"{program};{_kind(seen)};{seen}".replace(";user;", ";")] += 1
            program, frames = None, []
    return folded


def _seen(frames):
    """From (address, function) pairs, innermost first. Kernel addresses have the highest bit."""
    kernel = [name for address, name in frames if int(address, 16) >> 63]
    if not kernel:
        return f"user;{frames[0][1]}" if frames else "nothing"
    # The ending of a function that the compiler cut up tells nothing.
    return ";".join(re.sub(r"\.(isra|part|constprop)\..*", "", name) for name in reversed(kernel)
                    if not _PLUMBING.match(name)) or "kernel"


def _kind(seen):
    return next(name for name, sign in KINDS.items() if re.search(sign, seen))


def shares(folded):
    """Percent of all samples, by program and kind."""
    total = sum(folded.values())
    found = collections.defaultdict(collections.Counter)
    for stack, samples in folded.items():
        program, kind, _ = stack.split(";", 2)
        found[program][kind] += 100 * samples / total
    return found
