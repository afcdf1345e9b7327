"""Clusters pieces of speech into speakers.

Pieces that are much alike are grouped first. Groups are then judged by what remains of their similarity when each
group's own scatter is corrected for. This lets one threshold work in clear sound, on the telephone, in noise, and for
long and short turns: all of these change how alike two pieces of one voice are, and those of two voices with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MUCH_ALIKE = 0.40
"""Mean cosine distance between CAM++ embeddings up to which pieces are grouped at once: more than the 0.3 within most
voices, less than the 0.42 between the most similar voices on the telephone."""

SAME_VOICE = 0.82
"""Least corrected similarity of two groups of one voice: 0.82 to 0.95 were measured within voices, up to 0.81 between
them on the telephone and up to 0.73 in clear sound."""

USUAL_PAIRS = 6  # so many pairs as alike as is usual in the recording are added to a group's own: few pairs say little
INDEPENDENT_SECONDS = 1.5  # pieces nearer to one another than this have sound in common
RELIABLE_SECONDS = 0.6  # pieces shorter than this join a speaker but cannot make one
TOUCHING_SECONDS = 0.1  # with a shorter pause between them one voice takes over from the other
OVERLAPPED = 0.5  # a piece of which so much is spoken over by another voice is like neither of the two
LEAST_SPEECH_SECONDS = (
    1.5,
    3.5,
)  # of a speaker: of one unlike all others, and of one very like another
UNLIKE = 0.5  # corrected similarity of voices that are nothing like one another
MOST_PIECES = 4000  # compared pairwise; of a longer recording the longest pieces, the rest go to the nearest speaker
APART = 0.0  # the similarity of pieces that are known to be of two speakers; no lower, as a window is wrong at times


def cluster(
    embeddings: NDArray[np.float32],
    times: NDArray[np.float64],
    tracks: NDArray[np.int64],
    min_speakers: int | None = None,
    max_speakers: int | None = None,
) -> NDArray[np.int64]:
    """A speaker (0, 1, ...) for each piece of speech.

    `embeddings`: shape (n, d). `times`: shape (n, 2), start and end of each piece in seconds. `tracks`: shape (n, 2), a
    window and a voice within it: two voices of one window are two speakers. Returns shape (n,).

    Agglomerative clustering with average linkage makes the groups. Their similarity is corrected for attenuation
    (Spearman 1904, "The proof and measurement of association between two things"): the mean similarity between two
    groups is divided by the geometric mean of those within them. What is spoken over by another voice makes no group.
    Every piece left over goes to the most similar speaker, that most like one first, and to none who is heard at the
    same moment by another voice; what is spoken over, to the speaker its own voice is just before or after.
    """
    import numpy as np

    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    seconds = times[:, 1] - times[:, 0]
    first, second = _known_apart(tracks)
    in_common = np.minimum(times[first, 1], times[second, 1]) - np.maximum(times[first, 0], times[second, 0])
    alone = np.bincount(first, in_common.clip(0), len(unit)) < OVERLAPPED * seconds
    usable = np.where(alone, seconds, 0) if alone.any() else seconds
    reliable = np.flatnonzero(usable >= min(RELIABLE_SECONDS, usable.max()))
    if len(reliable) > MOST_PIECES:
        reliable = np.sort(reliable[np.argsort(-seconds[reliable], kind="stable")[:MOST_PIECES]])
    least, most = max(1, min_speakers or 1), max_speakers or len(reliable)
    labels = np.full(len(unit), -1)
    labels[reliable] = _speakers(unit[reliable], times[reliable], tracks[reliable], least, most)

    speakers = np.arange(labels.max() + 1)
    centres = np.stack([(unit * seconds[:, None])[labels == speaker].sum(axis=0) for speaker in speakers])
    similarity = unit @ (centres / np.linalg.norm(centres, axis=1, keepdims=True)).T
    for piece in np.flatnonzero(~alone):
        same_voice = np.flatnonzero(alone & (tracks == tracks[piece]).all(axis=1))
        if len(same_voice):
            similarity[piece] = similarity[same_voice[np.abs(times[same_voice, 0] - times[piece, 0]).argmin()]]
    touching = in_common > -TOUCHING_SECONDS
    first, second = first[touching], second[touching]
    unsure = np.flatnonzero(labels < 0)
    for piece in unsure[np.argsort(-similarity[unsure].max(axis=1), kind="stable")]:
        beside = second[np.searchsorted(first, piece) : np.searchsorted(first, piece, "right")]
        free = np.setdiff1d(speakers, labels[beside])
        choice = free if len(free) else speakers
        labels[piece] = choice[similarity[piece, choice].argmax()]
    return labels


def _known_apart(tracks: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pairs of pieces that are two voices of one window, each pair in both orders; by the first of the pair."""
    import numpy as np

    order = np.argsort(tracks[:, 0], kind="stable")
    first, second = [], []
    for pieces in np.split(order, np.flatnonzero(np.diff(tracks[order, 0])) + 1):
        voices = tracks[pieces, 1]
        one, other = np.nonzero(voices[:, None] != voices)
        first.append(pieces[one])
        second.append(pieces[other])
    pairs = np.concatenate(first), np.concatenate(second)
    order = np.argsort(pairs[0], kind="stable")
    return pairs[0][order], pairs[1][order]


def _speakers(
    unit: NDArray[np.float32], times: NDArray[np.float64], tracks: NDArray[np.int64], least: int, most: int
) -> NDArray[np.int64]:
    """The speaker of each piece, from `least` to `most` speakers; -1 if its voice speaks too little to be one."""
    import numpy as np
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if len(unit) == 1:
        return np.zeros(1, dtype=np.int64)
    apart = _known_apart(tracks)
    similarity = unit @ unit.T
    similarity[apart] = APART
    np.fill_diagonal(similarity, 1)
    tree = linkage(squareform((1 - similarity).clip(0), checks=False), "average")
    found = fcluster(tree, MUCH_ALIKE, "distance")
    if found.max() < least:
        found = fcluster(tree, least, "maxclust")
    middles = times.mean(axis=1)
    independent = np.abs(middles[:, None] - middles) >= INDEPENDENT_SECONDS
    independent[apart] = True
    groups = _Groups(found - 1, similarity, independent, times[:, 1] - times[:, 0])
    groups.join(SAME_VOICE, least)
    groups.drop_small(least)
    groups.join(-np.inf, most)
    return groups.labels


class _Groups:
    """Groups of pieces: whole speakers or parts of one."""

    def __init__(
        self,
        labels: NDArray[np.int64],
        similarity: NDArray[np.float32],
        independent: NDArray[np.bool_],
        seconds: NDArray[np.float64],
    ) -> None:
        """`labels`: the group (0, 1, ...) of each of n pieces. `similarity`, `independent`: shape (n, n), how alike
        two pieces are and whether they have no sound in common.
        """
        import numpy as np

        of = (labels[:, None] == np.arange(labels.max() + 1)).astype(np.float32)
        self.labels = labels
        self._seconds = seconds @ of
        # Sums over all pairs of pieces of two groups: of similarity, of ones, and both again without sound in common.
        tables = [of.T @ similarity @ of, np.outer(of.sum(axis=0), of.sum(axis=0))]
        tables += [of.T @ pairs @ of for pairs in (similarity * independent, independent)]
        self._tables = [table.astype(np.float64) for table in tables]
        *_, sums, pairs = self._tables
        self._usual = np.trace(sums) / np.trace(pairs) if np.trace(pairs) else 1 - MUCH_ALIKE

    def join(self, least_similarity: float, fewest: int) -> None:
        """Joins the two most similar groups, again and again, while they are that similar. `fewest` are left, and as
        many of those that say enough to be a speaker, where there are so many.
        """
        import numpy as np

        while len(self._seconds) > fewest:
            similarity = self._corrected_similarity()
            np.fill_diagonal(similarity, -np.inf)
            enough = self._seconds >= LEAST_SPEECH_SECONDS[1]
            if enough.sum() <= fewest:
                similarity[np.outer(enough, enough)] = -np.inf
            one, other = sorted(np.unravel_index(similarity.argmax(), similarity.shape))
            if similarity[one, other] <= least_similarity:
                return
            self._join(int(one), int(other))

    def drop_small(self, fewest: int) -> None:
        """Drops groups with too little speech to be a speaker, smallest first, while more than `fewest` remain.

        The less similar a voice is to any other, the less speech is enough.
        """
        import numpy as np

        while len(self._seconds) > fewest:
            similarity = self._corrected_similarity()
            np.fill_diagonal(similarity, -np.inf)
            enough = np.interp(similarity.max(axis=1), (UNLIKE, SAME_VOICE), LEAST_SPEECH_SECONDS)
            small = np.flatnonzero(self._seconds < enough)
            if not len(small):
                return
            group = int(small[self._seconds[small].argmin()])
            self.labels = np.where(self.labels == group, -1, self.labels)
            self._remove(group)

    def _corrected_similarity(self) -> NDArray[np.float64]:
        """Of each two groups: the mean similarity between them over the geometric mean of those within them."""
        import numpy as np

        sums, pairs, independent_sums, independent_pairs = self._tables
        own = np.diag(independent_sums) + USUAL_PAIRS * self._usual
        within = np.sqrt((own / (np.diag(independent_pairs) + USUAL_PAIRS)).clip(1e-3))
        return sums / pairs / np.outer(within, within)

    def _join(self, one: int, other: int) -> None:
        import numpy as np

        self.labels = np.where(self.labels == other, one, self.labels)
        self._seconds[one] += self._seconds[other]
        for table in self._tables:
            table[one] += table[other]
            table[:, one] += table[:, other]
        self._remove(other)

    def _remove(self, group: int) -> None:
        import numpy as np

        self.labels = np.where(self.labels > group, self.labels - 1, self.labels)
        self._seconds = np.delete(self._seconds, group)
        self._tables = [np.delete(np.delete(table, group, 0), group, 1) for table in self._tables]
