//! Models as text: a line for each element, so that a test shows what is drawn at one glance.
//! It writes what a modeller writes, and knows nothing of comparing.

/// A file of Camunda Modeler with this process: `task:Charge card`, `->` between what follows each other.
///
/// A line is a chain: `start -> task:Reserve goods -> end`. An element is a kind and a name; `#id` behind it tells two
/// of one name apart. Elements of one kind and name are one element.
/// Indented lines stand in the sub-process above them.
pub fn drawn(chains: &str) -> String {
    let mut xml = String::new();
    let (mut ids, mut flows) = (Vec::new(), 0);
    let mut open = false;
    for line in chains.lines().filter(|line| !line.trim().is_empty()) {
        let is_inside = line.starts_with("    ");
        if open && !is_inside {
            xml.push_str("    </bpmn:subProcess>\n");
            open = false;
        }
        if let Some(name) = line.trim().strip_prefix("sub-process:") {
            let id = id_of(&mut ids, name).0;
            xml.push_str(&format!("    <bpmn:subProcess id=\"{id}\" name=\"{name}\">\n"));
            open = true;
            continue;
        }
        let mut before = None;
        for element in line.trim().split(" -> ") {
            let (id, is_new) = id_of(&mut ids, element.strip_prefix("sub-process:").unwrap_or(element));
            if is_new {
                xml.push_str(&tag(&id, element));
            }
            if let Some(before) = before.replace(id.clone()) {
                flows += 1;
                xml.push_str(&format!(
                    "    <bpmn:sequenceFlow id=\"Flow_{flows}\" sourceRef=\"{before}\" targetRef=\"{id}\" />\n"
                ));
            }
        }
    }
    if open {
        xml.push_str("    </bpmn:subProcess>\n");
    }
    file(&xml)
}

fn id_of(ids: &mut Vec<String>, element: &str) -> (String, bool) {
    let known = ids.iter().position(|known| known == element);
    let number = known.unwrap_or(ids.len());
    if known.is_none() {
        ids.push(element.to_owned());
    }
    (format!("Element_{number}"), known.is_none())
}

fn tag(id: &str, element: &str) -> String {
    let (kind, name) = element.split_once(':').unwrap_or((element, ""));
    let (name, _) = name.split_once('#').unwrap_or((name, ""));
    let (kind, _) = kind.split_once('#').unwrap_or((kind, ""));
    let (tag, inner) = match kind {
        "start" => ("startEvent", ""),
        "end" => ("endEvent", ""),
        "task" => ("serviceTask", ""),
        "user" => ("userTask", ""),
        "manual" => ("manualTask", ""),
        "call" => ("callActivity", ""),
        "xor" => ("exclusiveGateway", ""),
        "and" => ("parallelGateway", ""),
        "or" => ("inclusiveGateway", ""),
        "event" => ("eventBasedGateway", ""),
        "message" => ("intermediateCatchEvent", "<bpmn:messageEventDefinition/>"),
        "timer" => ("intermediateCatchEvent", "<bpmn:timerEventDefinition/>"),
        "many" => ("serviceTask", "<bpmn:multiInstanceLoopCharacteristics/>"),
        "turns" => ("serviceTask", "<bpmn:multiInstanceLoopCharacteristics isSequential=\"true\"/>"),
        "loop" => ("serviceTask", "<bpmn:standardLoopCharacteristics/>"),
        "throw" => ("intermediateThrowEvent", "<bpmn:messageEventDefinition/>"),
        other => panic!("no kind `{other}`"),
    };
    format!("    <bpmn:{tag} id=\"{id}\" name=\"{name}\">{inner}</bpmn:{tag}>\n")
}

/// A file with this in its process; what stands in it begins in line 4.
pub fn file(process: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <bpmn:definitions xmlns:bpmn=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" id=\"Definitions_1\">\n  \
         <bpmn:process id=\"Process_1\" isExecutable=\"false\">\n{process}  </bpmn:process>\n</bpmn:definitions>\n"
    )
}
