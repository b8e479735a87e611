//! The mail server: sends a mail to a customer.
//! It must not know what a mail is about.

use super::call::Begun;
use super::{Unavailable, World, outage};

/// Mail servers that turn a stranger away this many times, as greylisting does.
const GREYLISTING: [(&str, u32); 2] = [("@greylisting.example", 1), ("@greylisting-twice.example", 2)];

/// A mail server that takes the mail, but whose first receipt is lost.
const LOSES_FIRST_ANSWER: &str = "@lost-answer.example";

impl World {
    /// Sends a mail.
    ///
    /// # Errors
    /// After `Unavailable` the mail may have been sent: repeat the call under the same key.
    pub async fn send_mail(
        &self,
        order_id: &str,
        to: &str,
        subject: &str,
        idempotency_key: &str,
    ) -> Result<(), Unavailable> {
        let mut call = match self.begin("send_mail", &(order_id, to, subject), idempotency_key).await? {
            Begun::Answered(answer) => return Ok(answer),
            Begun::Open(call) => call,
        };
        let attempt = call.attempt;
        if GREYLISTING.iter().any(|(domain, attempts)| to.ends_with(domain) && attempt <= *attempts) {
            call.leave().await?;
            return Err(Unavailable("greylisted, try again later".to_owned()));
        }
        sqlx::query(
            "INSERT INTO mails (id, order_id, recipient, subject)
             SELECT printf('mail-%05d', COUNT(*) + 1), ?, ?, ? FROM mails",
        )
        .bind(order_id)
        .bind(to)
        .bind(subject)
        .execute(&mut *call.tx)
        .await
        .map_err(outage)?;
        call.answer(()).await?;
        if attempt == 1 && to.ends_with(LOSES_FIRST_ANSWER) {
            return Err(Unavailable("connection closed before the receipt".to_owned()));
        }
        Ok(())
    }
}
