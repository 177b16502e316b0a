//! `embedContent` and `batchEmbedContents`: numbers that stand for a text as well as any, and always the same ones.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::refusal::Refusal;
use super::{Answered, ok};

/// How many numbers an embedding has where none are asked for.
const DIMENSIONS: usize = 3_072;
/// The most contents of a batch.
const BATCH: usize = 100;

pub(super) fn one(model: &str, body: &Value) -> Answered {
    ok(&One { embedding: embedding(model, body)? })
}

pub(super) fn batch(model: &str, body: &Value) -> Answered {
    let requests = body.get("requests").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if requests.is_empty() || requests.len() > BATCH {
        return Err(Refusal::invalid(format!(
            "* BatchEmbedContentsRequest.requests: between 1 and {BATCH} requests can be in one batch"
        )));
    }
    let embeddings = requests.iter().map(|request| {
        if request.get("model").and_then(Value::as_str) != Some(&format!("models/{model}")) {
            return Err(Refusal::invalid("* BatchEmbedContentsRequest.requests: model must be that of the path"));
        }
        embedding(model, request)
    });
    ok(&Batch { embeddings: embeddings.collect::<Result<_, _>>()? })
}

fn embedding(model: &str, request: &Value) -> Result<Embedding, Refusal> {
    let parts = request.pointer("/content/parts").and_then(Value::as_array).filter(|parts| !parts.is_empty());
    let parts = parts.ok_or_else(|| Refusal::invalid("* EmbedContentRequest.content: content is empty"))?;
    let dimensions = match request.get("outputDimensionality") {
        None => DIMENSIONS,
        Some(value) => value
            .as_u64()
            .and_then(|count| usize::try_from(count).ok())
            .filter(|count| (1..=DIMENSIONS).contains(count))
            .ok_or_else(|| Refusal::invalid("* EmbedContentRequest.output_dimensionality: out of range"))?,
    };
    let mut seed = Sha256::new_with_prefix(model);
    for text in parts.iter().filter_map(|part| part.get("text")?.as_str()) {
        seed.update((text.len() as u64).to_le_bytes());
        seed.update(text);
    }
    let mut random = ChaCha8Rng::from_seed(seed.finalize().into());
    let values: Vec<f32> = (0..DIMENSIONS).map(|_| random.random_range(-1.0..1.0)).collect();
    // Of length one in full; what is asked for less is cut off and not made longer again, as by the service.
    let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
    Ok(Embedding { values: values.into_iter().take(dimensions).map(|value| value / length).collect() })
}

#[derive(Serialize)]
struct One {
    embedding: Embedding,
}

#[derive(Serialize)]
struct Batch {
    embeddings: Vec<Embedding>,
}

#[derive(Serialize)]
struct Embedding {
    values: Vec<f32>,
}
