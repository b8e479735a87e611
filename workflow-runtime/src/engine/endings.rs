//! Who waits for the ends of which runs, whether the runs are in memory or not.
//! It is told of every end that comes about in this engine; of those elsewhere only the store knows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::watch;
use workflow_core::Conclusion;

/// See the module.
#[derive(Default)]
pub(crate) struct Endings {
    waited_for: Mutex<HashMap<Arc<str>, watch::Sender<Option<Conclusion>>>>,
}

/// Waits for the end of one run, for as long as it lives.
pub(crate) struct Waiting<'a> {
    endings: &'a Endings,
    run_id: Arc<str>,
    ending: Option<watch::Receiver<Option<Conclusion>>>,
}

impl Endings {
    /// From now on no end of this run in this engine is missed.
    pub(crate) fn wait_for(&self, run_id: &Arc<str>) -> Waiting<'_> {
        let mut waited_for = self.waited_for();
        let sender = waited_for.entry(Arc::clone(run_id)).or_insert_with(|| watch::Sender::new(None));
        let ending = Some(sender.subscribe());
        Waiting { endings: self, run_id: Arc::clone(run_id), ending }
    }

    /// A run has ended, and that is on the disk.
    pub(crate) fn tell(&self, run_id: &str, conclusion: &Conclusion) {
        if let Some(sender) = self.waited_for().get(run_id) {
            sender.send_replace(Some(conclusion.clone()));
        }
    }

    fn waited_for(&self) -> MutexGuard<'_, HashMap<Arc<str>, watch::Sender<Option<Conclusion>>>> {
        self.waited_for.lock().expect("nothing panics while this is locked")
    }
}

impl Waiting<'_> {
    pub(crate) async fn ended(&mut self) -> Conclusion {
        let ending = self.ending.as_mut().expect("it is there until this is dropped");
        let ended =
            ending.wait_for(Option::is_some).await.expect("the sender stays for as long as anybody waits");
        ended.clone().expect("it was waited for")
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut waited_for = self.endings.waited_for();
        self.ending = None;
        if waited_for.get(&self.run_id).is_some_and(|sender| sender.receiver_count() == 0) {
            waited_for.remove(&self.run_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_who_wait_hear_of_an_end_and_nothing_is_left() {
        let endings = Endings::default();
        let run_id: Arc<str> = "a".into();
        let (mut one, mut another) = (endings.wait_for(&run_id), endings.wait_for(&run_id));
        let cancelled = Conclusion::Cancelled { reason: "enough".into() };
        endings.tell("a", &cancelled);
        endings.tell("nobody waits for this one", &cancelled);
        assert_eq!((one.ended().await, another.ended().await), (cancelled.clone(), cancelled));
        drop(one);
        assert_eq!(endings.waited_for().len(), 1);
        drop(another);
        assert_eq!(endings.waited_for().len(), 0);
    }
}
