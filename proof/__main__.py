"""Run proofs one after the other, print the table, and fail when something differs."""

import argparse
import platform
import sys
from datetime import UTC, datetime

from proof.running import Failure, Proof, Result, cores, proofs, prove, table, try_numbers
from proof.scratch_database import scratch_database, use_database


def main() -> None:
    """Obey the command line; exit 1 when something differs."""
    known = proofs()
    parser = argparse.ArgumentParser(prog="python -m proof", description=__doc__)
    parser.add_argument("proofs", nargs="*", metavar="proof", help=f"some of {', '.join(known)}; none = all")
    parser.add_argument("--small", action="store_true", help="about a hundredth of the cases")
    parser.add_argument("--cases", type=int, help="how many cases; each proof has its own number otherwise")
    parser.add_argument(
        "--seed", default="1", help="other cases; the same seed is the same cases (default %(default)s)"
    )
    parser.add_argument("--only", type=int, metavar="NUMBER", help="just the case with this number, of one proof")
    parser.add_argument("--processes", type=int, default=cores(), help="default: one a core, here %(default)s")
    asked = parser.parse_args()
    if unknown := set(asked.proofs) - set(known):
        parser.error(f"There is no proof {', '.join(sorted(unknown))}.")
    if asked.only is not None and len(asked.proofs) != 1:
        parser.error("Name the proof that the case is of.")
    chosen = [known[name] for name in asked.proofs or known]
    results: list[Result] = []
    with scratch_database(needed=any(proof.needs_database for proof in chosen)):
        for proof in chosen:
            if asked.only is not None:
                if proof.needs_database:
                    use_database()
                result = try_numbers(proof.name, asked.seed, [asked.only])
            else:
                cases = asked.cases or (proof.small if asked.small else proof.cases)
                cases = min(cases, proof.cases) if proof.name == "calendar" else cases
                initializer = use_database if proof.needs_database else None
                result = prove(proof, asked.seed, cases, asked.processes, initializer)
            results.append(result)
            print(table([result]).splitlines()[-1], flush=True)
            if result.failures and proof.needs_database:
                use_database()
            for failure in result.failures:
                print(_told(proof, failure, asked.seed), flush=True)
    print(f"\n{datetime.now(UTC):%Y-%m-%d}, seed {asked.seed}, {asked.processes} processes, {platform.machine()}")
    print(table(results))
    sys.exit(any(result.differences for result in results))


def _told(proof: Proof, failure: Failure, seed: str) -> str:
    again = f"python -m proof {proof.name} --seed {seed} --only {failure.number}"
    return "\n    ".join([f"  {again}", *failure.said, f"smallest: {proof.smallest(seed, failure.number)}"])


if __name__ == "__main__":
    main()
