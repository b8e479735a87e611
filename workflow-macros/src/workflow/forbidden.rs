//! Calls that have no place between the steps of a workflow, by the ends of their paths, and what to write instead.
//! Names only: where in a body they stand, and what an import calls them, is found out in `determinism`.

/// Why a call is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Clock,
    Chance,
    Identity,
    Machine,
    Files,
    Network,
    Process,
    Pause,
    Print,
    /// What runs beside the workflow.
    Beside,
    /// What runs on another thread.
    Thread,
    /// What waits without the journal.
    Blocking,
    /// What holds a future in its place.
    Pinned,
}

/// The ends of the paths of functions. A single name is one that hardly anybody gives to something else.
const FUNCTIONS: &[(Kind, &[&str])] = &[
    (
        Kind::Clock,
        &[
            "SystemTime::now",
            "Instant::now",
            "Utc::now",
            "Local::now",
            "Zoned::now",
            "Timestamp::now",
            "OffsetDateTime::now_utc",
            "OffsetDateTime::now_local",
            "UtcDateTime::now",
            "SystemTime::elapsed",
            "UNIX_EPOCH::elapsed",
        ],
    ),
    (
        Kind::Chance,
        &[
            "rand::random",
            "rand::random_range",
            "rand::random_bool",
            "rand::random_ratio",
            "rand::random_iter",
            "rand::fill",
            "rand::rng",
            "thread_rng",
            "rngs::OsRng",
            "ThreadRng::default",
            "SmallRng::from_entropy",
            "StdRng::from_entropy",
            "SmallRng::from_os_rng",
            "StdRng::from_os_rng",
            "getrandom::fill",
            "getrandom::getrandom",
            "getrandom::u32",
            "getrandom::u64",
            "RandomState::new",
        ],
    ),
    (
        Kind::Identity,
        &["Uuid::new_v4", "Uuid::now_v1", "Uuid::now_v6", "Uuid::now_v7", "Ulid::new", "Ulid::generate"],
    ),
    (
        Kind::Machine,
        &[
            "env::var",
            "env::var_os",
            "env::vars",
            "env::vars_os",
            "env::set_var",
            "env::remove_var",
            "env::args",
            "env::args_os",
            "env::current_dir",
            "env::set_current_dir",
            "env::current_exe",
            "env::temp_dir",
            "env::home_dir",
            "process::id",
            "thread::current",
            "thread::available_parallelism",
        ],
    ),
    (
        Kind::Files,
        &[
            "fs::read",
            "fs::read_to_string",
            "fs::read_dir",
            "fs::read_link",
            "fs::write",
            "fs::copy",
            "fs::rename",
            "fs::remove_file",
            "fs::remove_dir",
            "fs::remove_dir_all",
            "fs::create_dir",
            "fs::create_dir_all",
            "fs::metadata",
            "fs::symlink_metadata",
            "fs::canonicalize",
            "fs::exists",
            "fs::hard_link",
            "fs::set_permissions",
            "File::open",
            "File::create",
            "File::create_new",
            "File::options",
            "OpenOptions::new",
            "io::stdin",
            "io::stdout",
            "io::stderr",
        ],
    ),
    (
        Kind::Network,
        &[
            "TcpStream::connect",
            "TcpStream::connect_timeout",
            "TcpListener::bind",
            "UdpSocket::bind",
            "UnixStream::connect",
            "UnixListener::bind",
            "UnixDatagram::bind",
            "reqwest::get",
            "blocking::get",
            "ureq::get",
            "ureq::post",
            "ureq::put",
            "ureq::delete",
        ],
    ),
    (Kind::Process, &["process::Command::new", "process::exit", "process::abort"]),
    (
        Kind::Pause,
        &["thread::sleep", "thread::sleep_ms", "thread::park", "thread::park_timeout", "thread::yield_now"],
    ),
    (
        Kind::Beside,
        &[
            "tokio::spawn",
            "task::spawn",
            "task::spawn_local",
            "smol::spawn",
            "async_std::spawn",
            "JoinSet::new",
            "FuturesUnordered::new",
            "FuturesOrdered::new",
            "future::join",
            "future::join3",
            "future::try_join",
            "future::try_join3",
            "future::join_all",
            "future::try_join_all",
            "future::select",
            "future::select_all",
            "future::select_ok",
        ],
    ),
    (
        Kind::Thread,
        &[
            "task::spawn_blocking",
            "tokio::spawn_blocking",
            "spawn_blocking",
            "task::block_in_place",
            "block_in_place",
            "thread::spawn",
            "thread::scope",
            "rayon::spawn",
            "rayon::scope",
            "rayon::join",
        ],
    ),
    (Kind::Blocking, &["block_on"]),
];

/// Crates all of whose functions are alike.
const CRATES: &[(Kind, &str)] = &[(Kind::Chance, "fastrand")];

/// Macros, by their names alone.
const MACROS: &[(Kind, &[&str])] = &[
    (Kind::Print, &["print", "println", "eprint", "eprintln", "dbg"]),
    (Kind::Beside, &["spawn", "spawn_local", "select_biased"]),
    (Kind::Pinned, &["pin", "pin_mut"]),
    (Kind::Identity, &["nanoid"]),
];

/// Methods, whatever they are called on.
const METHODS: &[(Kind, &[&str])] =
    &[(Kind::Blocking, &["block_on"]), (Kind::Thread, &["spawn_blocking"]), (Kind::Beside, &["spawn_local"])];

/// Methods without arguments that ask the clock or the disk, when they are those of the standard library.
const ASKING: &[&str] = &[
    "elapsed",
    "exists",
    "try_exists",
    "is_file",
    "is_dir",
    "is_symlink",
    "metadata",
    "symlink_metadata",
    "read_dir",
    "read_link",
    "canonicalize",
];

/// Whether a method of this name may ask the clock or the disk: only the type that it is called on tells.
pub(crate) fn asks_outside(method: &str) -> bool {
    ASKING.contains(&method)
}

/// Whether a function in the tables has this name behind the last `::`; those that are called by their type have not.
pub(crate) fn may_be_imported(name: &str) -> bool {
    let mut ends = FUNCTIONS.iter().flat_map(|(_, ends)| ends.iter());
    name != "new" && ends.any(|end| end.rsplit_once("::").is_some_and(|(_, last)| last == name))
}

/// Why a function with this path is refused, if it is.
pub(crate) fn function(path: &[String]) -> Option<Kind> {
    let by_end = FUNCTIONS.iter().find(|(_, ends)| ends.iter().any(|end| ends_with(path, end)));
    let by_end = by_end.map(|(kind, _)| *kind);
    let of_crate = || {
        let is_function = path.last().is_some_and(|last| last.starts_with(char::is_lowercase));
        let known = CRATES.iter().find(|(_, name)| path.len() > 1 && path[0] == *name);
        known.filter(|_| is_function).map(|(kind, _)| *kind)
    };
    by_end.or_else(of_crate)
}

/// Whether these are the last segments of the path. It is asked of every path for the whole table, so that it looks at
/// the last letters first, and takes nothing apart.
fn ends_with(path: &[String], end: &str) -> bool {
    let mut rest = end;
    for segment in path.iter().rev() {
        match rest.strip_suffix(segment.as_str()) {
            Some("") => return true,
            Some(before) => match before.strip_suffix("::") {
                Some(before) => rest = before,
                None => return false,
            },
            None => return false,
        }
    }
    false
}

/// Why a macro of this name is refused, if it is.
pub(crate) fn macro_(name: &str) -> Option<Kind> {
    MACROS.iter().find(|(_, names)| names.contains(&name)).map(|(kind, _)| *kind)
}

/// Why a method of this name is refused, if it is.
pub(crate) fn method(name: &str) -> Option<Kind> {
    METHODS.iter().find(|(_, names)| names.contains(&name)).map(|(kind, _)| *kind)
}

impl Kind {
    /// Whether it would run or wait where no journal sees it (WF004); the others answer differently each time (WF010).
    pub(crate) fn is_foreign(self) -> bool {
        matches!(self, Kind::Beside | Kind::Thread | Kind::Blocking | Kind::Pinned)
    }

    /// What is wrong with what is written so, and what to write instead.
    pub(crate) fn text(self, written: &str) -> String {
        let why = match self {
            Kind::Clock => "reads another time when the run is replayed; write `now().await`",
            Kind::Chance => "gives another value when the run is replayed; write `random().await`",
            Kind::Identity => "gives another id when the run is replayed; write `uuid().await`",
            Kind::Machine => {
                "asks the machine, and a replay on another one hears something else; pass the value as an argument, \
                 or ask in a `#[step]`"
            }
            Kind::Files => "touches files, again in each replay; do it in a `#[step]` and await the step",
            Kind::Network => {
                "uses the network, again in each replay; do it in a `#[step]` and await the step"
            }
            Kind::Process => {
                "acts on processes, again in each replay; do it in a `#[step]` and await the step"
            }
            Kind::Pause => "holds up a thread and is forgotten in a crash; write `sleep(..).await`",
            Kind::Print => {
                "prints again whenever the run is replayed; write to the log with `tracing::info!(..)`, or print in a \
                 `#[step]`"
            }
            Kind::Beside => {
                "runs what no journal sees; write `join!(..)`, `join_all(..)` or `select! { .. }` of the language, or \
                 start a workflow of its own with `.detached()`"
            }
            Kind::Thread => {
                "runs what no journal sees; make it a `#[step]`, which as a plain `fn` has a thread of its own, and \
                 await the step"
            }
            Kind::Blocking => {
                "waits where no journal sees it; make it a `#[step]` and write `.await` behind its call"
            }
            Kind::Pinned => "is for futures, which a workflow has none of; await the call where it is made",
        };
        let code = if self.is_foreign() { "WF004" } else { "WF010" };
        format!("{code}: `{written}` {why}; see docs/errors/{code}.md")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> Option<Kind> {
        let path: Vec<String> = path.split("::").map(str::to_owned).collect();
        function(&path)
    }

    #[test]
    fn the_end_of_a_path_tells() {
        assert_eq!(of("std::time::SystemTime::now"), Some(Kind::Clock));
        assert_eq!(of("SystemTime::now"), Some(Kind::Clock));
        assert_eq!(of("rand::thread_rng"), Some(Kind::Chance));
        assert_eq!(of("fastrand::u8"), Some(Kind::Chance));
        assert_eq!(of("futures::executor::block_on"), Some(Kind::Blocking));
        assert_eq!(of("std::process::Command::new"), Some(Kind::Process));
    }

    #[test]
    fn what_users_call_alike_is_left_alone() {
        for own in
            ["now", "spawn", "random", "calendar::now", "Command::new", "orders::read", "process::order"]
        {
            assert_eq!(of(own), None, "{own}");
        }
    }
}
