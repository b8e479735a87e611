//! Writes all samples to files, so that foreign tools and people can look at them.
//! The only place here that touches the disk.

use std::fs;
use std::path::Path;

use workflow_bpmn::{Detail, Export, Flavour};

use crate::{family, highlights, samples};

/// The files land in `tmp/bpmn-samples` of the target directory; `tools/bpmn/` has the judges for them.
#[test]
fn every_sample_is_written_for_the_judges() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bpmn-samples");
    fs::create_dir_all(&folder).unwrap();
    let generated = (0..24).map(|seed| (format!("generated_{seed:02}"), family::graph(seed)));
    let parallel = (0..24).map(|seed| (format!("parallel_{seed:02}"), family::parallel_graph(seed)));
    for (name, graph) in samples::all()
        .into_iter()
        .map(|(name, graph)| (name.to_owned(), graph))
        .chain(generated)
        .chain(parallel)
    {
        fs::write(folder.join(format!("{name}.bpmn")), workflow_bpmn::to_xml(&graph)).unwrap();
        fs::write(folder.join(format!("{name}.svg")), workflow_bpmn::to_svg(&graph)).unwrap();
        fs::write(folder.join(format!("{name}.business.bpmn")), business(&graph).xml()).unwrap();
        fs::write(folder.join(format!("{name}.business.svg")), business(&graph).svg()).unwrap();
        for (flavour, engine) in [(Flavour::Camunda7, "camunda7"), (Flavour::Camunda8, "camunda8")] {
            let file = folder.join(format!("{name}.{engine}.bpmn"));
            fs::write(file, Export::of(&graph).flavour(flavour).xml()).unwrap();
        }
    }
    for (name, graph) in samples::all() {
        let parties = Export::of(&graph).collaboration(true).party("NewCard", "Customer");
        fs::write(folder.join(format!("{name}.parties.bpmn")), parties.xml()).unwrap();
        fs::write(folder.join(format!("{name}.parties.svg")), parties.svg()).unwrap();
        // Not of the overview, which no engine executes.
        let for_engine = Export::of(&graph).collaboration(true).flavour(Flavour::Camunda8);
        fs::write(folder.join(format!("{name}.parties.camunda8.bpmn")), for_engine.xml()).unwrap();
    }
    let order = samples::fulfil_order();
    let run = Export::of(&order).highlights(&highlights::of_a_failed_run()).svg();
    fs::write(folder.join("a_failed_run.svg"), run).unwrap();
    let painted = Export::of(&order).highlights(&highlights::of_a_failed_run()).png(2.0).unwrap();
    fs::write(folder.join("a_failed_run.png"), painted).unwrap();
}

fn business(graph: &workflow_graph::Graph) -> Export<'_> {
    Export::of(graph).detail(Detail::Business)
}
