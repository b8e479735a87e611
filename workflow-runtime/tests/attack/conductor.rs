//! Conducts an attack: starts workers, gives them work, ends them as it likes, and waits until all work is done.
//! It keeps book of what was asked and acknowledged, and trusts no worker; what is right is for the judge to say.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::database::Database;
use crate::evidence::Pause;
use crate::ledger::now_ms;
use crate::load::{Kind, PARTS, Plan};
use crate::protocol::{Ask, MARK, Outcome, Reply, Setup, VARIABLE};

/// How long the work that is left may take once nobody attacks any more; seconds are usual.
const PATIENCE: Duration = Duration::from_secs(120);

/// Something that was asked for, and what is known of it.
#[derive(Clone, Debug)]
struct Errand {
    ask: Ask,
    not_before: Instant,
    /// Who was asked last, while that one lives.
    worker: Option<u32>,
}

/// A run that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) plan: Plan,
    pub(crate) was_acknowledged: bool,
    pub(crate) was_cancelled: bool,
    pub(crate) told: Option<Outcome>,
}

struct Worker {
    process: Child,
    /// Closed, it makes the worker end in order.
    input: Option<ChildStdin>,
    is_ready: bool,
}

/// One attack on one database.
pub(crate) struct Conductor {
    pub(crate) chance: fastrand::Rng,
    pub(crate) database: Database,
    pub(crate) ledger: PathBuf,
    pub(crate) asked: BTreeMap<String, Asked>,
    /// What every worker is started with besides its number.
    pub(crate) clock_offset_ms: Option<i64>,
    /// What is still to be acknowledged, by a name of its own.
    errands: BTreeMap<String, Errand>,
    workers: BTreeMap<u32, Worker>,
    last_worker: u32,
    replies: Receiver<(u32, Option<Reply>)>,
    reply_to: Sender<(u32, Option<Reply>)>,
    folder: tempfile::TempDir,
}

impl Conductor {
    pub(crate) fn new(chance: fastrand::Rng, database: impl FnOnce(PathBuf) -> Database) -> Conductor {
        let folder = tempfile::tempdir().unwrap();
        let database = database(folder.path().to_owned());
        let (reply_to, replies) = channel();
        Conductor {
            chance,
            database,
            ledger: folder.path().join("ledger.db"),
            asked: BTreeMap::new(),
            clock_offset_ms: None,
            errands: BTreeMap::new(),
            workers: BTreeMap::new(),
            last_worker: 0,
            replies,
            reply_to,
            folder,
        }
    }

    pub(crate) fn on_sqlite(chance: fastrand::Rng) -> Conductor {
        let conductor = Conductor::new(chance, |folder| Database::Sqlite(folder.join("runs.db")));
        tokio::runtime::Runtime::new().unwrap().block_on(conductor.database.prepare());
        conductor
    }

    /// Tables of its own on a server that all tests share, or on this one.
    pub(crate) fn on_postgres(chance: fastrand::Rng, url: &str) -> Conductor {
        let conductor = Conductor::new(chance, |folder| {
            // The folder is no other attack's at the same time; the server may outlive both.
            let name = folder.file_name().expect("it has a name").to_string_lossy().to_lowercase();
            let schema = format!("attack_{}_{}", now_ms(), name.replace(|c: char| !c.is_alphanumeric(), ""));
            Database::Postgres { url: url.to_owned(), schema }
        });
        tokio::runtime::Runtime::new().unwrap().block_on(conductor.database.prepare());
        conductor
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Starts a worker on the database, and gives its number.
    pub(crate) fn spawn(&mut self) -> u32 {
        let database = self.database.clone();
        self.spawn_on(database)
    }

    /// Starts a worker that reaches the database in a way of its own.
    pub(crate) fn spawn_on(&mut self, database: Database) -> u32 {
        self.last_worker += 1;
        let number = self.last_worker;
        let setup =
            Setup { database, ledger: self.ledger.clone(), number, clock_offset_ms: self.clock_offset_ms };
        // A file that must not grow is an error of the write then, and no signal.
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]);
        command.arg(std::env::current_exe().expect("a test knows its own program"));
        command.args(["quiet::a_load_that_nobody_attacks_is_in_order", "--exact", "--nocapture"]);
        command.env(VARIABLE, serde_json::to_string(&setup).unwrap()).env("RUST_BACKTRACE", "0");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(self.errors_of(number));
        let mut process = command.spawn().expect("a worker starts");
        let output = BufReader::new(process.stdout.take().expect("it is piped"));
        let reply_to = self.reply_to.clone();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // The harness ends none of its own lines before ours begins.
                if let Some(at) = line.find(MARK) {
                    let reply = serde_json::from_str(&line[at + MARK.len()..]);
                    // A line that was cut off by the end of its writer says nothing.
                    let Ok(reply) = reply else { break };
                    let _ = reply_to.send((number, Some(reply)));
                }
            }
            let _ = reply_to.send((number, None));
        });
        let input = process.stdin.take();
        self.workers.insert(number, Worker { process, input, is_ready: false });
        number
    }

    fn errors_of(&self, number: u32) -> Stdio {
        let path = self.folder.path().join(format!("errors-{number}"));
        std::fs::File::create(path).unwrap().into()
    }

    /// The workers that live.
    pub(crate) fn workers(&self) -> Vec<u32> {
        self.workers.keys().copied().collect()
    }

    /// Ends a worker with SIGKILL; what it had to do is given to others.
    pub(crate) fn kill(&mut self, number: u32) {
        let mut worker = self.workers.remove(&number).expect("it lives");
        assert!(worker.process.try_wait().unwrap().is_none(), "{}", self.last_words(number));
        worker.process.kill().expect("SIGKILL reaches it");
        worker.process.wait().unwrap();
        self.leave_to_others(number);
    }

    /// Sends SIGSTOP or SIGCONT.
    pub(crate) fn signal(&self, number: u32, signal: Signal) {
        let process = i32::try_from(self.workers[&number].process.id()).unwrap();
        kill_process(Pid::from_raw(process).unwrap(), signal).unwrap();
    }

    /// Stops a worker, as a machine that swaps or is moved does; others are asked for what it had to do.
    pub(crate) fn stop(&mut self, number: u32) -> Pause {
        self.signal(number, Signal::STOP);
        self.workers.get_mut(&number).expect("it lives").is_ready = false;
        self.leave_to_others(number);
        Pause { worker: number, from_ms: now_ms(), until_ms: i64::MAX }
    }

    /// Has it go on, and be asked for things again.
    pub(crate) fn go_on(&mut self, pause: Pause) -> Pause {
        self.signal(pause.worker, Signal::CONT);
        self.workers.get_mut(&pause.worker).expect("it lives").is_ready = true;
        // It takes a while before it notices.
        Pause { until_ms: now_ms() + 1_000, ..pause }
    }

    /// Has others asked for all that this worker has not yet done; it may do it all the same.
    pub(crate) fn leave_to_others(&mut self, number: u32) {
        for errand in self.errands.values_mut().filter(|errand| errand.worker == Some(number)) {
            errand.worker = None;
        }
    }

    /// Says something to one worker, out of turn.
    pub(crate) fn tell(&mut self, number: u32, ask: &Ask) {
        let worker = self.workers.get_mut(&number).expect("it lives");
        let line = serde_json::to_string(ask).unwrap() + "\n";
        // One that is gone is seen by its end of output.
        let _ = worker.input.as_mut().expect("it is open").write_all(line.as_bytes());
    }

    /// Waits until this worker takes part.
    pub(crate) fn wait_until_ready(&mut self, number: u32) {
        let deadline = Instant::now() + PATIENCE;
        while !self.workers[&number].is_ready {
            assert!(Instant::now() < deadline, "{}", self.last_words(number));
            self.pump_once(Duration::from_millis(20));
        }
    }

    /// Starts new runs until this many are open.
    pub(crate) fn keep_busy(&mut self, open: usize) {
        while self.open() < open {
            let name = format!("run-{}", self.asked.len());
            let plan = Plan::by_chance(&mut self.chance, name);
            self.ask_for(plan);
        }
    }

    /// How many runs are asked for and have not ended.
    pub(crate) fn open(&self) -> usize {
        self.asked.values().filter(|asked| asked.told.is_none()).count()
    }

    /// Has a run started, with all that it waits for; a few are cancelled.
    fn ask_for(&mut self, plan: Plan) {
        let (name, kind) = (plan.name.clone(), plan.kind);
        self.ask_for_uncancelled(plan);
        if matches!(kind, Kind::Trip | Kind::Pair | Kind::Family) && self.chance.u32(..8) == 0 {
            self.asked.get_mut(&name).expect("it was asked for").was_cancelled = true;
            self.errand(format!("cancel {name}"), Ask::Cancel(name));
        }
    }

    pub(crate) fn ask_for_uncancelled(&mut self, plan: Plan) {
        let name = plan.name.clone();
        let parts = match plan.kind {
            Kind::Visitor => PARTS,
            Kind::Race => self.chance.u32(0..2),
            _ => 0,
        };
        for part in 0..parts {
            // Some come before the run, some twice.
            for copy in 0..self.chance.u32(1..3) {
                let message_id = format!("{name}-paid-{part}");
                let ask = Ask::Deliver { message_id: message_id.clone(), name: name.clone(), part };
                self.errand(format!("{message_id} {copy}"), ask);
            }
        }
        let asked = Asked { plan: plan.clone(), was_acknowledged: false, was_cancelled: false, told: None };
        self.asked.insert(name.clone(), asked);
        self.errand(format!("start {name}"), Ask::Start(plan));
    }

    fn errand(&mut self, name: String, ask: Ask) {
        let not_before = Instant::now() + Duration::from_millis(self.chance.u64(..60));
        self.errands.insert(name, Errand { ask, not_before, worker: None });
    }

    /// Hands out work and hears replies for so long.
    pub(crate) fn pump(&mut self, duration: Duration) {
        let deadline = Instant::now() + duration;
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            self.pump_once(left.min(Duration::from_millis(5)));
        }
    }

    fn pump_once(&mut self, patience: Duration) {
        self.hand_out();
        match self.replies.recv_timeout(patience) {
            Ok((number, reply)) => self.hear(number, reply),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => unreachable!("the conductor holds a sender itself"),
        }
        while let Ok((number, reply)) = self.replies.try_recv() {
            self.hear(number, reply);
        }
    }

    fn hand_out(&mut self) {
        let ready: Vec<u32> =
            self.workers.iter().filter(|(_, worker)| worker.is_ready).map(|(number, _)| *number).collect();
        if ready.is_empty() {
            return;
        }
        let now = Instant::now();
        let mut orders = Vec::new();
        for errand in self.errands.values_mut() {
            if errand.worker.is_none() && errand.not_before <= now {
                let number = ready[self.chance.usize(..ready.len())];
                errand.worker = Some(number);
                orders.push((number, errand.ask.clone()));
            }
        }
        for (number, ask) in orders {
            self.tell(number, &ask);
        }
    }

    fn hear(&mut self, number: u32, reply: Option<Reply>) {
        let Some(reply) = reply else {
            // Of those that were killed nobody expects anything.
            assert!(
                self.workers.get(&number).is_none_or(|worker| worker.input.is_none()),
                "worker {number} ended by itself: {}",
                self.last_words(number)
            );
            return;
        };
        match reply {
            Reply::Ready => {
                if let Some(worker) = self.workers.get_mut(&number) {
                    worker.is_ready = true;
                }
            }
            Reply::Started(name) => self.asked.get_mut(&name).unwrap().was_acknowledged = true,
            Reply::Ended(name, outcome) => {
                let asked = self.asked.get_mut(&name).unwrap();
                let before = asked.told.replace(outcome.clone());
                assert!(
                    before.as_ref().is_none_or(|before| *before == outcome),
                    "`{name}` ended twice: {before:?}, then {outcome:?}"
                );
                self.errands.remove(&format!("start {name}"));
            }
            Reply::Delivered(message_id) => {
                // The copy that this worker was asked for; what was left to others is not waited for twice.
                let copies = [0, 1].map(|copy| format!("{message_id} {copy}"));
                let asked_of = |worker: Option<u32>| {
                    let is_of = |copy: &&String| {
                        self.errands.get(*copy).is_some_and(|errand| errand.worker == worker)
                    };
                    copies.iter().find(is_of)
                };
                if let Some(copy) = asked_of(Some(number)).or_else(|| asked_of(None)) {
                    self.errands.remove(copy);
                }
            }
            Reply::Cancelled(name) => drop(self.errands.remove(&format!("cancel {name}"))),
            Reply::Settled => drop(self.errands.remove("settle")),
            Reply::Failed(ask, _) => {
                // A cancel may come before its run, and a database may be away: each is asked again, a little later.
                let not_before = Instant::now() + Duration::from_millis(20);
                let text = serde_json::to_string(&ask).unwrap();
                for errand in self.errands.values_mut() {
                    if errand.worker == Some(number) && serde_json::to_string(&errand.ask).unwrap() == text {
                        errand.worker = None;
                        errand.not_before = not_before;
                    }
                }
            }
        }
    }

    /// Ends the attack: waits until everything that was asked for is done, and ends the workers in order.
    pub(crate) fn finish(&mut self) {
        self.wait_for_the_rest();
        self.errand("settle".to_owned(), Ask::Settle);
        self.wait_for_the_rest();
        for number in self.workers() {
            let mut worker = self.workers.remove(&number).expect("it lives");
            drop(worker.input.take());
            let status = worker.process.wait().unwrap();
            assert!(status.success(), "worker {number} ends in order: {}", self.last_words(number));
        }
    }

    fn wait_for_the_rest(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.errands.is_empty() {
            self.pump_once(Duration::from_millis(20));
            if Instant::now() > deadline {
                let last = self.workers().first().map(|number| self.last_words(*number));
                let kept = self.folder.path().with_extension("kept");
                let _ = std::fs::rename(self.folder.path(), &kept);
                panic!("left after {PATIENCE:?}: {:#?}\n{last:?}; see {}", self.errands, kept.display());
            }
        }
    }

    /// What a worker wrote to its standard error.
    pub(crate) fn last_words(&self, number: u32) -> String {
        let path = self.folder.path().join(format!("errors-{number}"));
        std::fs::read_to_string(path).unwrap_or_default()
    }
}

impl Drop for Conductor {
    /// A test that has failed leaves nobody behind, also not one that is stopped.
    fn drop(&mut self) {
        for worker in self.workers.values_mut() {
            let _ = worker.process.kill();
            let _ = worker.process.wait();
        }
    }
}
