//! The names `join!`, `try_join!` and `select!`, so that editors offer them and everybody sees where they come from.
//! In a workflow `#[workflow]` takes the macros apart itself; used anywhere else, these say so.

/// Runs all branches of a workflow at once and gives all their outputs: `join!(ship(&order), invoice(&order))`.
///
/// A branch is a call or an `async { .. }` block.
#[macro_export]
macro_rules! join {
    ($($branches:tt)*) => {
        ::core::compile_error!(
            "this `join!` runs branches of a workflow: use it under `#[workflow]` or `#[subflow]`, and \
             `tokio::join!` or `futures::join!` elsewhere"
        )
    };
}

/// Runs branches of a workflow at once until one of them fails: `try_join!(ship(&order), invoice(&order))?`.
///
/// A branch is a call or an `async { .. }` block; all of them have the same error.
#[macro_export]
macro_rules! try_join {
    ($($branches:tt)*) => {
        ::core::compile_error!(
            "this `try_join!` runs branches of a workflow: use it under `#[workflow]` or `#[subflow]`, and \
             `tokio::try_join!` or `futures::try_join!` elsewhere"
        )
    };
}

/// Waits for the first of several operations of a workflow: `select! { paid = receive::<Paid>(&id).forever() => .. }`.
///
/// The others are withdrawn before the arm runs.
#[macro_export]
macro_rules! select {
    ($($arms:tt)*) => {
        ::core::compile_error!(
            "this `select!` waits for operations of a workflow: use it under `#[workflow]` or `#[subflow]`, and \
             `tokio::select!` or `futures::select!` elsewhere"
        )
    };
}
