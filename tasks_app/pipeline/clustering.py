"""How many speakers there are, and which piece of speech is whose."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAME_SPEAKER_DISTANCE = 0.58
"""Mean cosine distance between two groups of CAM++ embeddings up to which they are one speaker."""

RELIABLE_SECONDS = 0.6  # pieces shorter than this join a speaker but cannot make one
LEAST_SPEECH_SECONDS = 1.5  # of a speaker; whoever has less is joined to the most similar voice
MOST_PIECES = 4000  # clustered pairwise; of a longer recording the longest pieces, the rest go to the nearest speaker
APART = 2.0  # the largest cosine distance there is: between pieces that are known to be of two speakers


def cluster(
    embeddings: NDArray[np.float32],
    seconds: NDArray[np.float64],
    tracks: NDArray[np.int64],
    min_speakers: int | None = None,
    max_speakers: int | None = None,
) -> NDArray[np.int64]:
    """A speaker (0, 1, ...) for each piece of speech, by agglomerative clustering with average linkage.

    `embeddings`: shape (n, d). `seconds`: shape (n,), how long each piece is. `tracks`: shape (n, 2), a window and a
    voice within it: two voices of one window are two speakers. Returns shape (n,).
    """
    import numpy as np
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    reliable = np.flatnonzero(seconds >= min(RELIABLE_SECONDS, seconds.max()))
    if len(reliable) > MOST_PIECES:
        reliable = np.sort(reliable[np.argsort(-seconds[reliable], kind="stable")[:MOST_PIECES]])
    labels = np.zeros(len(unit), dtype=np.int64)
    if len(reliable) > 1:
        distances = 1 - unit[reliable] @ unit[reliable].T
        window, voice = tracks[reliable].T
        distances[(window[:, None] == window) & (voice[:, None] != voice)] = APART
        np.fill_diagonal(distances, 0)
        tree = linkage(squareform(distances.clip(0), checks=False), "average")
        found = fcluster(tree, SAME_SPEAKER_DISTANCE, "distance")
        count = min(max(found.max(), min_speakers or 1), max_speakers or len(reliable))
        labels[reliable] = found if count == found.max() else fcluster(tree, count, "maxclust")
    else:
        labels[reliable] = 1

    amounts = {label: seconds[labels == label].sum() for label in np.unique(labels[reliable])}
    by_amount = sorted(amounts, key=lambda label: -amounts[label])
    least = max(1, min_speakers or 1)
    kept = [label for i, label in enumerate(by_amount) if i < least or amounts[label] >= LEAST_SPEECH_SECONDS]
    centroids = np.stack([(unit * seconds[:, None])[labels == label].sum(axis=0) for label in kept])
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    nearest = (unit @ centroids.T).argmax(axis=1)
    position = {label: i for i, label in enumerate(kept)}
    return np.array([position.get(label, near) for label, near in zip(labels, nearest, strict=True)])
