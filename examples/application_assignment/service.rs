//! The other side: a service that creates work orders when it is told to, and answers by message when it is done.
//! To the engine it is a transport; it knows no workflow.

use std::sync::{Arc, Mutex, OnceLock};

use workflow_runtime::{Client, Outgoing, Transport, TransportError};

use crate::bank::Bank;
use crate::workflow::{CreateWorkOrder, WorkOrderCreated};

/// The service, with the way to it and back. Clones are the same service.
#[derive(Clone)]
pub struct WorkOrderService {
    bank: Bank,
    /// Where the answers go.
    client: Arc<OnceLock<Client>>,
    /// What it was told and has not answered, and whether it answers by itself.
    unanswered: Arc<Mutex<(bool, Vec<String>)>>,
}

impl WorkOrderService {
    /// A service that answers at once.
    pub fn new(bank: Bank) -> WorkOrderService {
        let unanswered = Arc::new(Mutex::new((true, Vec::new())));
        WorkOrderService { bank, client: Arc::default(), unanswered }
    }

    /// From now on answers go this way.
    pub fn answer_to(&self, client: Client) {
        // Told a second time, it keeps to the first way.
        let _ = self.client.set(client);
    }

    /// Whether it answers by itself, or only when it is asked to.
    pub fn answer_at_once(&self, at_once: bool) {
        self.unanswered.lock().expect("nothing panics while this is locked").0 = at_once;
    }

    /// Answers what it has not answered yet.
    ///
    /// # Errors
    /// When the engine does not take an answer.
    pub async fn answer_late(&self) -> Result<(), workflow_runtime::Error> {
        let waiting =
            std::mem::take(&mut self.unanswered.lock().expect("nothing panics while this is locked").1);
        for application in waiting {
            self.answer(&application).await?;
        }
        Ok(())
    }

    async fn answer(&self, application: &str) -> Result<(), workflow_runtime::Error> {
        let Some(client) = self.client.get() else { return Ok(()) };
        let work_order = format!("WO-{application}");
        let created = WorkOrderCreated { application_id: application.to_owned(), work_order };
        client.deliver(created).message_id(format!("created-{application}")).await?;
        Ok(())
    }
}

#[async_trait::async_trait]
impl Transport for WorkOrderService {
    async fn hand_over(&self, message: &Outgoing) -> Result<(), TransportError> {
        println!(
            "  {} {}: {}",
            if message.publishes { "event" } else { "command" },
            message.message,
            message.payload
        );
        if message.message != "CreateWorkOrder" {
            return Ok(()); // An event: whoever listens would get it here.
        }
        let command: CreateWorkOrder = message.payload.read().map_err(TransportError::refused)?;
        // Handed over twice, it is created once: the application is its name.
        self.bank.create_work_order(&command.application_id);
        let at_once = {
            let mut unanswered = self.unanswered.lock().expect("nothing panics while this is locked");
            if !unanswered.0 {
                unanswered.1.push(command.application_id.clone());
            }
            unanswered.0
        };
        if at_once {
            self.answer(&command.application_id).await.map_err(TransportError::unavailable)?;
        }
        Ok(())
    }
}
