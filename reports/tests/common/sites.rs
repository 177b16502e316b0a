//! Call sites for records made up by the tests.

use plimsoll_reports::record::{Frame, Record, Sample, Site, SiteTotals, Status};

/// Frames named after `name`, or after themselves: of the project's own code, of a crate, of the standard library, and of nobody.
fn frames(name: Option<&str>) -> Vec<Frame> {
    let named = |own: &str| name.unwrap_or(own).to_owned();
    let frame = |function: &str, krate: &str, version: Option<&str>, file: &str| Frame {
        function: named(function),
        krate: Some(named(krate)),
        version: version.map(&named),
        file: Some(named(file)),
        line: Some(7),
        own: version.is_none() && krate != "std",
        inlined: false,
    };
    vec![
        frame("alloc::vec::Vec<T,A>::push", "std", None, "library/alloc/src/vec/mod.rs"),
        frame("hyper::proto::h1::io::Buffered<T,B>::poll_read", "hyper", Some("1.12.0"), "src/proto/h1/io.rs"),
        frame("<client::Provider as client::Ask>::ask", "client", None, "client/src/lib.rs"),
        Frame { function: named("_start"), ..Frame::default() },
    ]
}

/// Gives every valid dhat sample call sites; with a name, only those of the subject of that name. At each checkpoint, in each hundred bytes: 50 of its own code, 30 by hyper in it, 15 by hyper in the
/// background, 5 by nobody known.
pub(crate) fn put(record: &mut Record, name: Option<&str>) {
    let first = u32::try_from(record.frames.len()).unwrap();
    let site = u32::try_from(record.sites.len()).unwrap();
    record.frames.extend(frames(name));
    let stacks: [(&[u32], bool); 4] = [(&[0, 2], false), (&[0, 1, 2], false), (&[0, 1], true), (&[3], false)];
    record
        .sites
        .extend(stacks.map(|(frames, rest)| Site { frames: frames.iter().map(|at| first + at).collect(), rest }));
    let is_meant = |sample: &&mut Sample| {
        sample.cell.probe == "dhat"
            && sample.status == Status::Ok
            && name.is_none_or(|name| sample.cell.subject == name)
    };
    for sample in record.samples.iter_mut().filter(is_meant) {
        sample.profile = Some(format!("profiles/{}-{}.dhat.json", sample.cell.scenario, sample.order));
        for point in &mut sample.checkpoints {
            let hundreds = match point.name.as_str() {
                "steady@64" => 1_000,
                "steady@128" => 1_640,
                "dropped" => 90_000,
                _ => continue,
            };
            let all = [50, 30, 15, 5].into_iter().zip(site..);
            point.sites = all
                .map(|(part, site)| SiteTotals {
                    site,
                    blocks: hundreds,
                    bytes: hundreds * part,
                    live: Some(part),
                    ..SiteTotals::default()
                })
                .collect();
        }
    }
}
