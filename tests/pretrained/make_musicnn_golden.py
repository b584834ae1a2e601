"""Makes musicnn_golden.npz: what the networks of the wheel `musicnn` compute themselves.

    python3.11 -m venv tf && tf/bin/pip install tensorflow-cpu==2.15.0 librosa==0.10.2 'numpy<2'
    pip download --no-deps musicnn==0.1.0 && unzip musicnn-0.1.0-py3-none-any.whl -d wheel
    PYTHONPATH=wheel:tests/helpers tf/bin/python tests/pretrained/make_musicnn_golden.py wheel

Spectrograms, patches, graph and checkpoints are the wheel's. Only the loop over patches is not:
that of the wheel's extractor repeats the first patch's penultimate activations for all others. The
wheel rounds the power of the spectrogram to half precision, which this package does not; on these
sounds that changes activations by up to 3e-4.
"""

import os
import sys
import tempfile
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import soundfile
import tensorflow as tf
from golden_sounds import RATE, SOUNDS, golden_sound
from musicnn import models
from musicnn.extractor import batch_data

FRAMES = 187
NETWORKS = ("MSD_musicnn", "MTT_musicnn")


def patches(samples: np.ndarray) -> np.ndarray:
    """Consecutive patches [n, frames, bands]."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        soundfile.write(file.name, samples, RATE, subtype="FLOAT")
        return batch_data(file.name, FRAMES, FRAMES)[0]


def outputs(wheel: str, network: str, batches: list[np.ndarray]) -> list[list[np.ndarray]]:
    """Tags and penultimate activations of each patch."""
    tf.compat.v1.reset_default_graph()
    with tf.name_scope("model"):
        x = tf.compat.v1.placeholder(tf.float32, [None, FRAMES, 96])
        training = tf.compat.v1.placeholder(tf.bool)
        logits, *_, penultimate = models.define_model(x, training, network, 50)
        tags = tf.nn.sigmoid(logits)
    with tf.compat.v1.Session() as session:
        tf.compat.v1.train.Saver().restore(session, f"{wheel}/musicnn/{network}/")
        feeds = [{x: batch, training: False} for batch in batches]
        return [session.run([tags, penultimate], feed_dict=feed) for feed in feeds]


def main() -> None:
    """Write the file beside this script."""
    batches = [patches(golden_sound(name)) for name in SOUNDS]
    stored: dict[str, np.ndarray] = {}
    for network in NETWORKS:
        for name, (tags, penultimate) in zip(
            SOUNDS, outputs(sys.argv[1], network, batches), strict=True
        ):
            stored[f"{network}.{name}.tags"] = tags.mean(axis=0)
            stored[f"{network}.{name}.penultimate"] = penultimate
    np.savez_compressed(Path(__file__).with_name("musicnn_golden.npz"), **stored)


if __name__ == "__main__":
    main()
