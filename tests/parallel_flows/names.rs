//! Steps under other names: paths, renamed imports, raw identifiers, and locals that hide what is outside.

use workflow_runtime::prelude::*;

use super::steps::{Trouble, check, explored, shop};

#[workflow]
pub async fn through_paths(number: u32) -> Result<u32, Trouble> {
    let (one, two) = try_join!(shop::buy(number), async {
        use super::steps::shop::inner;
        let seen = self::shop::r#type(number).await;
        inner::check(seen).await
    },)?;
    let many = join_all((0..number).map(shop::r#type)).await;
    let won = select! {
        seen = crate::steps::look(one) => {
            use shop::inner::check as examine;
            let seen = examine(seen).await?;
            try_join!(examine(seen), super::steps::take(two))?.0
        }
        bought = shop::buy(number).without_compensation() => bought?,
    };
    Ok(won + many.len() as u32)
}

#[workflow]
pub async fn renamed_in_a_branch(number: u32) -> Result<u32, Trouble> {
    let (one, other) = join!(
        async {
            use super::steps::check as look;
            look(number).await
        },
        async {
            use super::steps::look;
            look(number).await
        },
    );
    let three = {
        use super::steps::{look as r#match, take as r#type};
        let (a, b) = join!(r#match(other), r#type(number));
        a + b?
    };
    Ok(one? + three)
}

#[workflow]
pub async fn hidden_names(r#type: u32) -> Result<u32, Trouble> {
    let number = r#type;
    let (number, _) = try_join!(check(number), async {
        let number = number + 1;
        let r#type = check(number).await?;
        Ok(r#type)
    })?;
    let number = select! {
        number = check(number) => number?,
        _ = sleep(days(number.into())) => number,
    };
    let (mut number, (_, ref other)) = join!(check(number), async {
        let look = 1;
        (look, number)
    });
    if *other == 1 {
        number = Ok(*other);
    }
    number
}

#[step(read_only)]
pub async fn r#loop(r#in: u32) -> u32 {
    r#in
}

#[subflow]
pub async fn r#move(r#in: &u32) -> u32 {
    r#loop(*r#in).await
}

#[workflow]
pub async fn r#while(r#fn: u32) -> u32 {
    let (a, b) = join!(r#loop(r#fn), r#move(&r#fn));
    let r#let = select! {
        r#mut = r#loop(a) => r#mut,
        _ = sleep(hours(1)) => b,
    };
    for r#in in 0..r#let {
        if r#in == r#let && try_join!(r#try(r#in), async { r#try(r#in).await }).is_ok() {
            break;
        }
    }
    join_all([r#loop(r#let)]).await.len() as u32
}

#[step(read_only)]
pub async fn r#try(_number: u32) -> Result<u32, Trouble> {
    Ok(1)
}

explored! {
    through_paths
    renamed_in_a_branch
    hidden_names
}

#[test]
fn raw_names_are_drawn_without_their_mark() {
    let graph = r#while.graph();
    assert_eq!(graph.defects(), []);
    assert_eq!(graph.workflow, "while");
    let ids: Vec<&str> = graph.nodes.iter().map(|node| &*node.id).collect();
    assert!(ids.contains(&"loop") && ids.contains(&"move"), "{ids:?}");
    let spoken = graph.to_string().to_lowercase();
    for mark in ["r#", "r_try", "r try", "r_let", "r let"] {
        assert!(!spoken.contains(mark), "{graph}");
    }
}
