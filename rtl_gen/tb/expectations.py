"""What both benches know of jobs: how one is run, and what must come of it."""

__all__ = ["STALLS", "failures", "most_clocks", "seed_of"]

STALLS = 96
"""Of 256 clocks, those in which a stalled stream pauses."""


def most_clocks(job: dict) -> int:
    """Return the clocks after which a job must have ended.

    Generous: a stalled stream moves at least every few clocks.
    """
    return 1000 + 4 * (job["program_words"] + job["cycles"])


def seed_of(seed: int, number: int) -> int:
    """Return where the random numbers of a job begin; never 0, which would stay 0."""
    return seed % 2**31 + number + 1


def _first_difference(results, expected, begin, end):
    """Return the number of differing words and the place of the first one."""
    wrong = [i for i in range(begin, end) if results[i : i + 1] != expected[i : i + 1]]
    return len(wrong), wrong[0] if wrong else None


def failures(jobs, measured, results, expected):
    """Compare what was measured with what is expected; return a line for each difference.

    Parameters
    ----------
    jobs : list of dict
        Those of ``jobs.json``.
    measured : list of dict
        For each of them, ``cycles`` and ``clips``; ``mismatches`` is added: words that differ.
    results, expected : list of str
        Words of the result stream.
    """
    lines, position = [], 0
    words = len(expected) // max(1, sum(job["result_beats"] for job in jobs))
    for job, measurement in zip(jobs, measured):
        end = position + job["result_beats"] * words
        wrong, where = _first_difference(results, expected, position, end)
        measurement["mismatches"] = wrong
        if wrong:
            lines.append(
                f"{job['name']}: {wrong} words differ, the first in line {where + 1}: "
                f"{results[where : where + 1]} instead of {expected[where]}"
            )
        if measurement["clips"] != job["clips"]:
            lines.append(f"{job['name']}: clips {measurement['clips']}, not {job['clips']}")
        if not job["stalled"] and measurement["cycles"] != job["cycles"]:
            lines.append(f"{job['name']}: {measurement['cycles']} clocks, not {job['cycles']}")
        position = end
    if len(results) != len(expected):
        lines.append(f"{len(results)} words came out, not {len(expected)}")
    return lines
