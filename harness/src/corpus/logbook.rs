//! A ship's log without end: the same entries each time, for replies that must be long.

/// The entries from the first on, each a sentence or three with a line end.
pub(super) fn entries() -> impl Iterator<Item = String> {
    (0_usize..).map(entry)
}

/// Each list has a length of its own, all prime to each other, so that entries repeat only after thousands.
fn entry(number: usize) -> String {
    let port = PORTS[number % PORTS.len()];
    let cargo = CARGOES[number % CARGOES.len()];
    let weather = WEATHER[number % WEATHER.len()];
    let remark = REMARKS[number % REMARKS.len()];
    let (day, month) = (1 + number * 3 % 28, 1 + number / 9 % 12);
    let (forward, aft) = (210 + number * 37 % 130, 225 + number * 41 % 130);
    let tonnes = 40 + number * 67 % 560;
    format!(
        "{day:02}.{month:02} – {port}. {weather} Took {tonnes} t of {cargo}. Draught {}.{:02} m forward, {}.{:02} m aft. {remark}\n",
        forward / 100,
        forward % 100,
        aft / 100,
        aft % 100,
    )
}

const PORTS: [&str; 11] = [
    "Göteborg",
    "Aalborg",
    "Świnoujście",
    "Tórshavn",
    "Kiel",
    "Turku/Åbo",
    "A Coruña",
    "Leith",
    "Le Havre",
    "Tromsø",
    "Rīga",
];

const CARGOES: [&str; 7] =
    ["sawn timber", "oats", "machine parts", "salt cod", "roof tiles", "paper in reels", "furniture, boxed"];

const WEATHER: [&str; 9] = [
    "Clear, light airs from NW.",
    "Rain since the morning watch, wind SW 5.",
    "Fog; sounded the horn off the mole.",
    "Hard frost, 14 °C below; ice on the rigging.",
    "A swell from the west and no wind at all.",
    "Overcast, wind S 4, glass falling.",
    "Gale warning, stayed alongside until noon.",
    "Sun, and warm enough to paint.",
    "Snow showers, good sight between them.",
];

const REMARKS: [&str; 13] = [
    "The bar stood dry by a hand's breadth.",
    "Agent asked for another twenty pallets; declined.",
    "Moved six crates forward to bring her head down.",
    "Fresh water here, so we loaded to F and let the sea lift her.",
    "One bale wet, set aside and noted.",
    "Pumps sounded, nothing in the bilge.",
    "New paint on the marks, both sides.",
    "The cook's birthday – “no speeches,” he said, and made one.",
    "Crane stopped for an hour; nobody minded.",
    "Surveyor came aboard, read the marks himself and went away content.",
    "Left eleven tonnes on the quay rather than wet the bar.",
    "Rolled a good deal outside the point; nothing shifted.",
    "Arrived with the same figure as we left with, less the oil burnt.",
];
