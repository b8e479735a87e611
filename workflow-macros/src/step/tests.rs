//! `#[step]`, tested as text: the expansion of a whole step, and what is refused.
//! Types play no part here; what only they can tell is in `tests/ui` and `tests/steps.rs`.

fn expanded(attribute: &str, function: &str) -> String {
    super::expand(attribute.parse().unwrap(), function.parse().unwrap()).to_string()
}

fn refused(attribute: &str, function: &str) -> Vec<String> {
    let tokens = expanded(attribute, function);
    let texts = tokens.split("compile_error ! {").skip(1);
    texts.map(|text| text.split('"').nth(1).unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_expansion_reads_like_code_that_a_person_wrote() {
    let attribute = "compensate = refund_payment(order, output), retry(attempts = 2), timeout = \"30s\"";
    let function = "/// Retrieve payment
        ///
        /// From the card of the order.
        #[tracing::instrument]
        pub async fn retrieve_payment(gateway: Resource<Gateway>, cx: StepContext, order: &Order, cents: u64)
            -> Result<Payment, PaymentError> { gateway.charge(order.card(), cents, cx.idempotency_key()).await }";
    let file = syn::parse_str(&expanded(attribute, function)).unwrap();
    insta::assert_snapshot!(prettyplease::unparse(&file));
}

#[test]
fn a_half_typed_body_leaves_the_step_as_it_is() {
    let tokens = expanded("", "async fn pack(item: u32) -> u32 { item. }");
    assert!(tokens.contains("fn pack (item : u32) -> u32 { item . }"), "{tokens}");
    assert!(tokens.contains("StepCall < __pack >") && !tokens.contains("compile_error"), "{tokens}");
}

#[test]
fn a_bad_word_leaves_the_step_with_the_error_behind_it() {
    let tokens =
        expanded("retyr(attempts = 5), timeout = \"30s\"", "async fn pack(item: u32) -> u32 { item }");
    let (step, errors) = tokens.split_once("compile_error").unwrap();
    assert!(step.contains("StepCall < __pack >") && step.contains("with_timeout_ms (30000)"));
    assert!(errors.contains("did you mean `retry`?"), "{errors}");
}

#[test]
fn a_bad_signature_leaves_the_function_with_all_errors_behind_it() {
    let function = "async fn pack<T>(item: T, words: Vec<&str>, amount: &mut u8) -> &str { item }";
    assert!(expanded("pivot", function).starts_with("async fn pack < T >"));
    assert_eq!(refused("pivot, read_only", function).len(), 5);
}

#[test]
fn waits_that_are_not_given_fit_those_that_are() {
    let policy = |retry: &str| {
        let tokens = expanded(retry, "async fn pack() {}");
        tokens.split("initial_ms : ").nth(1).unwrap().split('}').next().unwrap().trim().to_owned()
    };
    assert_eq!(policy("retry(initial = \"5m\")"), "300000 , factor : 2.0 , max_ms : 300000 ,");
    assert_eq!(policy("retry(max = \"100ms\", factor = 3)"), "100 , factor : 3.0 , max_ms : 100 ,");
}

#[test]
fn names_of_operations_are_taken() {
    assert_eq!(refused("", "async fn receive() {}").len(), 1);
    assert_eq!(refused("name = \"a b\"", "async fn pack() {}").len(), 1);
    // A workflow knows it by the name of its function.
    assert_eq!(refused("name = \"take\"", "async fn receive() {}").len(), 1);
    // That of a step that runs know already stays what it was.
    assert_eq!(refused("name = \"receive\"", "async fn take() {}"), [] as [&str; 0]);
    assert_eq!(refused("", "async fn receive_all() {}"), [] as [&str; 0]);
}

#[test]
fn a_plain_function_has_a_body_that_blocks() {
    let tokens = expanded("timeout = \"1m\"", "fn pack(item: u32) -> u32 { item }");
    assert!(tokens.contains("StepBody :: Blocking") && !tokens.contains("compile_error"), "{tokens}");
    assert!(expanded("", "async fn pack(item: u32) -> u32 { item }").contains("fn attempt ("));
}

#[test]
fn a_heartbeat_needs_a_context_to_be_given_and_time_to_be_missed() {
    let step = "fn pack(cx: StepContext) { cx.heartbeat() }";
    assert!(expanded("heartbeat = \"1m30s\"", step).contains("with_heartbeat_ms (90000)"));
    assert_eq!(refused("heartbeat = \"10s\", timeout = \"11s\"", step), [] as [&str; 0]);
    assert!(refused("heartbeat = \"10s\", timeout = \"10s\"", step)[0].contains("shorter than the timeout"));
    assert!(refused("heartbeat = \"10s\"", "fn pack() {}")[0].contains("add a parameter `cx: StepContext`"));
    assert_eq!(refused("heartbeat = \"0s\"", step).len(), 1);
    assert_eq!(refused("heartbeat = 10", step).len(), 1);
}

#[test]
fn who_promises_to_heed_a_cancel_hears_of_it() {
    let step = "async fn pack(cx: StepContext) { cx.cancelled().await }";
    let tokens = expanded("retriable, cancellable", step);
    assert!(tokens.contains(". cancellable ()") && !tokens.contains("compile_error"), "{tokens}");
    assert!(!expanded("retriable", step).contains("cancellable ()"));
    assert!(refused("cancellable", "async fn pack() {}")[0].contains("add a parameter `cx: StepContext`"));
    assert!(refused("pivot, cancellable", step)[0].contains("drop `cancellable`, or `pivot`"));
    assert_eq!(refused("cancellable = true", step).len(), 1);
}

#[test]
fn limits_are_numbers_that_let_somebody_through() {
    let tokens = expanded("concurrency = 8, rate = \"100/s\"", "async fn pack() {}");
    assert!(tokens.contains("with_concurrency (8)"), "{tokens}");
    assert!(tokens.contains("Rate { count : 100 , per_ms : 1000 }"), "{tokens}");
    let limits = |attribute: &str| refused(attribute, "async fn pack() {}");
    assert!(limits("concurrency = 0")[0].contains("`concurrency = 1` is for one at a time"));
    assert_eq!(limits("concurrency = 8.5, rate = 100").len(), 2);
    assert_eq!(limits("concurrency, rate(100)").len(), 2);
    assert_eq!(limits("rate = \"fast\"").len(), 1);
}

#[test]
fn former_names_are_names_that_a_step_can_have_had() {
    let was = |attribute: &str| refused(attribute, "async fn pack() {}");
    let names = expanded("was = [\"pack_up\", \"wrap\"]", "async fn pack() {}");
    let names =
        names.split("formerly ").nth(1).unwrap().split(']').next().unwrap().matches("Borrowed (\"").count();
    assert_eq!((names, was("was = \"wrap\"")), (2, vec![]));
    assert!(was("was = \"pack\"")[0].contains("the name that the step has now"));
    assert_eq!(was("was = [\"a b\", \"wrap\", \"wrap\", wrap]").len(), 3);
    assert_eq!(was("was = []").len() + was("was").len(), 2);
}

#[test]
fn who_does_a_step_costs_tokens_only_where_it_is_said() {
    let tokens = expanded("human, participant = \"Warehouse\"", "async fn pack() {}");
    assert!(tokens.contains(". human () . with_participant (\"Warehouse\")"), "{tokens}");
    assert!(expanded("rule", "async fn rate() {}").contains(". rule ()"));
    let plain = expanded("", "async fn pack() {}");
    assert!(!plain.contains("human") && !plain.contains("rule") && !plain.contains("participant"), "{plain}");
    let refused = |attribute: &str| refused(attribute, "async fn pack() {}");
    assert!(refused("human, rule")[0].contains("keep one of `human` and `rule`"));
    assert_eq!(refused("human, human").len(), 1);
    assert!(refused("participant = \" \"")[0].contains("needs a name"));
    assert_eq!(refused("participant").len() + refused("human = 1").len(), 2);
}

#[test]
fn a_transaction_is_lent_once_to_an_async_function() {
    let tokens = expanded("", "async fn book(tx: &mut Tx, order: &str) {}");
    assert!(tokens.contains("StepBody :: Transactional") && !tokens.contains("compile_error"), "{tokens}");
    assert!(tokens.contains("with_timeout_ms (5000)"), "nobody can hold up the store for long: {tokens}");
    let tokens =
        expanded("timeout = \"1s\"", "async fn book(order: &str, mut tx: &mut workflow_runtime::Tx) {}");
    assert!(tokens.contains("with_timeout_ms (1000)") && !tokens.contains("compile_error"), "{tokens}");
    for parameters in ["tx: Tx", "tx: &Tx", "tx: &'static mut Tx"] {
        let function = format!("async fn book({parameters}) {{}}");
        assert!(refused("", &function)[0].contains("take `tx: &mut Tx`"), "{parameters}");
    }
    let limits = refused("concurrency = 2, rate = \"1/s\"", "async fn book(tx: &mut Tx) {}");
    assert!(limits.len() == 2 && limits[0].contains("one attempt at a time"), "{limits:?}");
    assert!(refused("", "fn book(tx: &mut Tx) {}")[0].contains("write `async fn`"));
    assert!(refused("", "async fn book(a: &mut Tx, b: &mut Tx) {}")[0].contains("one transaction"));
    assert!(refused("", "async fn book(tx: &mut Transaction<'_>) {}")[0].contains("as `&mut Tx`"));
}

#[test]
fn the_function_owns_what_its_body_borrows_unless_somebody_would_see() {
    let tokens = expanded("", "async fn pack(mut order: &Order, item: u32) -> u32 { order.count + item }");
    let owning = "async fn pack (order : < Order as :: std :: borrow :: ToOwned > :: Owned , item : u32) -> u32 \
                  { let mut order : & Order = :: core :: borrow :: Borrow :: borrow (& order) ; order . count + item }";
    assert!(tokens.contains(owning) && tokens.contains("(pack (__args . 0 , __args . 1))"), "{tokens}");
    for function in [
        "#[instrument] async fn pack(order: &Order) {}",
        "async fn pack(order: &Order) { #![allow(unused)] }",
    ] {
        let tokens = expanded("", function);
        assert!(tokens.contains("async fn pack (order : & Order) {"), "{tokens}");
        assert!(
            tokens.contains("pack (:: core :: borrow :: Borrow :: borrow (& __args . 0)) . await"),
            "{tokens}"
        );
    }
}
