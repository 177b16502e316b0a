//! Everything that was recorded can be said, and comes back as it was: where the recordings lie beside the project, and always for a
//! few bodies of our own.

use std::fmt::Debug;
use std::fs;
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;

/// The recorded bodies of a folder: name and bytes, in order; none where there are no recordings.
fn bodies(folder: &str) -> Vec<(String, Vec<u8>)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/traffic").join(folder);
    let Ok(files) = fs::read_dir(root) else { return Vec::new() };
    let mut files: Vec<_> = files.filter_map(|file| Some(file.ok()?.path())).collect();
    files.sort();
    files.into_iter().map(|file| (file.display().to_string(), fs::read(&file).unwrap())).collect()
}

/// The folders whose names begin so.
fn folders(prefixes: &[&str]) -> Vec<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/traffic");
    let Ok(folders) = fs::read_dir(root) else { return Vec::new() };
    let names = folders.filter_map(|folder| folder.ok()?.file_name().into_string().ok());
    names.filter(|name| prefixes.iter().any(|prefix| name.starts_with(prefix))).collect()
}

fn comes_back<T: DeserializeOwned + Serialize + Debug>(name: &str, body: &[u8]) -> T {
    let value: Value = serde_json::from_slice(body).unwrap();
    let read: T = serde_json::from_slice(body).unwrap_or_else(|error| panic!("{name}: {error}"));
    let written: Value = serde_json::from_str(&serde_json::to_string(&read).unwrap()).unwrap();
    assert_eq!(canonical(written), canonical(value), "{name}");
    read
}

/// Some clients write names with underscores, which the API takes for the same; a field that is null or an empty list is one that is
/// absent; and whole numbers stand in recordings of some clients where others have fractions.
fn canonical(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let fields = map.into_iter().filter(|(_, value)| !value.is_null() && *value != json!([]));
            fields.map(|(name, value)| (camel(&name), canonical(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(canonical).collect(),
        Value::Number(number) => number.as_f64().map_or(Value::Null, Value::from),
        other => other,
    }
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let mut letters = word.chars();
        name + &letters.next().map_or(String::new(), |letter| letter.to_uppercase().to_string()) + letters.as_str()
    })
}

/// Whether all of it was said in fields of the types: nothing went where unknown fields are kept.
fn is_said_in_types(read: &impl Debug) -> bool {
    !format!("{read:?}").contains("Extra(Some")
}

#[test]
fn requests() {
    for (name, body) in bodies("requests") {
        if name.contains("batchEmbed") {
            assert!(is_said_in_types(&comes_back::<BatchEmbedContentsRequest>(&name, &body)), "{name}");
        } else {
            let mut request = comes_back::<GenerateContentRequest>(&name, &body);
            // Some clients name the model in the body as well; here it is said once, and stands in the address.
            request.model = request.extra.remove("model").map(|model| model.as_str().unwrap().to_owned());
            assert!(is_said_in_types(&request), "{name}: {request:?}");
        }
    }
    let odd: GenerateContentRequest = serde_json::from_value(json!({"contents": [], "new": 1})).unwrap();
    assert!(!is_said_in_types(&odd));
}

#[test]
fn answers() {
    for folder in folders(&["generate_", "streamarray_"]) {
        for (name, body) in bodies(&folder) {
            if folder.starts_with("streamarray_") {
                comes_back::<Vec<GenerateContentResponse>>(&name, &body);
            } else {
                comes_back::<GenerateContentResponse>(&name, &body);
            }
        }
    }
}

#[test]
fn events() {
    for folder in folders(&["stream_"]) {
        for (name, body) in bodies(&folder) {
            for line in body.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"data: ")) {
                comes_back::<GenerateContentResponse>(&name, line);
            }
        }
    }
}

#[test]
fn the_other_answers() {
    for (name, body) in bodies("count_tokens") {
        assert!(comes_back::<CountTokensResponse>(&name, &body).total_tokens.is_some());
    }
    for (name, body) in bodies("embed") {
        assert!(!comes_back::<EmbedContentResponse>(&name, &body).embedding.values.is_empty());
    }
    for (name, body) in bodies("embed_batch") {
        assert!(!comes_back::<BatchEmbedContentsResponse>(&name, &body).embeddings.is_empty());
    }
    for (name, body) in bodies("models") {
        let page = comes_back::<ListModelsResponse>(&name, &body);
        assert!(page.models.iter().all(|model| model.extra.is_empty()), "{name}");
    }
    for (name, body) in bodies("cached_contents") {
        let cached = comes_back::<CachedContent>(&name, &body);
        assert!(cached.extra.is_empty() && cached.name.is_some(), "{name}");
    }
    for (name, body) in bodies("files") {
        let file = comes_back::<FileEnvelope>(&name, &body).file;
        assert!(file.extra.is_empty() && file.is_active() && file.size_bytes > Some(0), "{name}");
    }
}

#[test]
fn bodies_of_our_own() {
    fn own<T: DeserializeOwned + Serialize + Debug>(value: Value) -> T {
        comes_back("our own", value.to_string().as_bytes())
    }
    own::<CountTokensResponse>(json!({"totalTokens": 9, "cachedContentTokenCount": 2, "new": 1,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 9}], "cacheTokensDetails": [{"modality": 7}]}));
    own::<EmbedContentRequest>(
        json!({"model": "models/e", "content": {"parts": [{"text": "a"}]}, "taskType": "CLUSTERING",
        "title": "t", "outputDimensionality": 3, "autoTruncate": true}),
    );
    own::<EmbedContentResponse>(json!({"embedding": {"values": [0.25, -7.806454e-5, 1], "shape": [3]}, "new": {}}));
    own::<BatchEmbedContentsResponse>(
        json!({"embeddings": [{"values": [0.1]}], "usageMetadata": {"promptTokenCount": 3}}),
    );
    own::<ListModelsResponse>(
        json!({"models": [{"name": "models/m", "baseModelId": "m", "temperature": 0.7, "new": 1}],
        "nextPageToken": "p"}),
    );
    let cached: CachedContent = own(json!({"model": "models/m", "displayName": "d", "ttl": "300.000000001s",
        "contents": [{"role": "user", "parts": [{"text": "long"}]}], "systemInstruction": {"parts": [{"text": "s"}]},
        "tools": [{"codeExecution": {}}], "toolConfig": {"functionCallingConfig": {"mode": "NONE"}}, "new": 1}));
    assert_eq!(cached.ttl, Some(std::time::Duration::new(300, 1)));
    own::<ListCachedContentsResponse>(json!({"cachedContents": [{"name": "cachedContents/1",
        "usageMetadata": {"totalTokenCount": 1, "new": 1}}], "nextPageToken": "p"}));
    let file: File =
        own(json!({"name": "files/1", "sizeBytes": "18446744073709551615", "state": "STATE_OF_TOMORROW", "source": 2,
        "error": {"code": 3}, "videoMetadata": {"videoDuration": "3s"}, "downloadUri": "d", "new": 1}));
    assert_eq!(file.size_bytes, Some(u64::MAX));
    own::<ListFilesResponse>(json!({"files": [{"name": "files/1", "uri": "u"}], "nextPageToken": "p"}));
    own::<SpeechConfig>(
        json!({"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}, "new": 1}, "languageCode": "de-DE",
        "multiSpeakerVoiceConfig": {"speakerVoiceConfigs": [{"speaker": "A", "voiceConfig": {"replicatedVoiceConfig": {}}}]}}),
    );
    own::<LogprobsResult>(
        json!({"logProbabilitySum": -1.5, "chosenCandidates": [{"token": "a", "tokenId": 1, "logProbability": -0.5}],
        "topCandidates": [{"candidates": [{"token": "b", "new": 1}]}, {}]}),
    );
}

#[test]
fn a_file_becomes_a_part_and_a_short_model_name_a_long_one() {
    let file = File { uri: Some("u".to_owned()), mime_type: Some("a/b".to_owned()), ..File::default() };
    let part = serde_json::to_value(file.part().unwrap()).unwrap();
    assert_eq!(part, json!({"fileData": {"mimeType": "a/b", "fileUri": "u"}}));
    assert_eq!(File::default().part(), None);
    let batch = BatchEmbedContentsRequest::texts("e", ["a"]);
    let body = json!({"requests": [{"model": "models/e", "content": {"parts": [{"text": "a"}]}}]});
    assert_eq!(serde_json::to_value(batch).unwrap(), body);
}
