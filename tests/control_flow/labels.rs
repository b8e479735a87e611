//! A `///` above a statement or an arm stands in the diagram wherever something is drawn of it.

use workflow_runtime::prelude::*;

use super::steps::{Answer, Trouble, check, count, explore, find, take};

#[workflow]
pub async fn labelled_everywhere(number: u32) -> Result<u32, Trouble> {
    /// Check the number
    let checked = check(number).await?;
    /// Ask for more
    match receive::<Answer>(number).within(days(1)).await {
        /// More came
        Ok(answer) => take(answer.number).await?,
        /// Nobody answered
        Err(_) => count(0).await,
    };
    /// Which kind?
    match checked {
        /// None
        0 => {}
        /// One
        1 => {
            /// Only one is wrong
            return Err(Trouble::Gone);
        }
        _ => {
            count(checked).await;
        }
    }
    /// Search upwards
    loop {
        let Some(found) = find(checked).await else {
            /// Odd, so stop
            break;
        };
        match take(found).await {
            /// Taken for good
            Ok(_) => break,
            /// Once more
            Err(Trouble::Gone) => continue,
            /// Cannot be taken
            Err(error) => return Err(error),
        }
    }
    /// For each of them
    for one in 0..checked {
        /// Is it the third?
        if one == 2 {
            /// Enough
            break;
        }
        count(one).await;
    }
    /// All done
    Ok(checked)
}

#[test]
fn labels_stand_in_the_diagram() {
    explore(labelled_everywhere, &["answer `Enough` of `if_is_it_the_third`"]);
    insta::assert_snapshot!(labelled_everywhere.graph(), @r#"
    labelled_everywhere v1
      started: start -> check
      check: step "Check the number" -> answer, error -> check_failed
      check_failed: failure "Check failed"
      answer: receive Answer within 1 day "Ask for more" -> take, timeout -> count
      take: step "More came" -> merge, error -> take_failed
      take_failed: failure "Take failed"
      count: step "Nobody answered" -> merge
      merge: merge -> if_which_kind
      if_which_kind: decision "Which kind?" [One] -> gone, [None] -> repeat, [otherwise, default] -> count_2
      gone: failure "Only one is wrong"
      count_2: step count -> repeat
      repeat: merge "Search upwards" -> find
      find: step -> if_find
      if_find: decision "Find?" [yes] -> take_2, [Odd, so stop, default] -> repeat_2
      take_2: step take -> repeat_2, error Gone -> repeat, error -> take_failed_2
      take_failed_2: failure "Take failed"
      repeat_2: merge -> if_for_each_of_them
      if_for_each_of_them: decision "For each of them" [yes] -> if_is_it_the_third, [no, default] -> merge_2
      if_is_it_the_third: decision "Is it the third?" [Enough] -> merge_2, [no, default] -> count_3
      count_3: step count -> repeat_2
      merge_2: merge -> all_done
      all_done: success "All done"
    "#);
}
