"""The commands: `python -m pipeline`, or `cobweb` where it is installed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import CobwebError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 2 after a mistake of the user's, 1 after a failed job.

    That of `verify` is in `verdict.STATUS`; that of `diff` is 1 where anything differs.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        if arguments[:1] == ["run"]:
            from pipeline import command

            command.run(arguments[1:])
        else:
            return _inspect(arguments)
    except CobwebError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt as stop:
        print(stop if stop.args else "interrupted; nothing was left half written", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output has gone, as `head` does.
        sys.stderr.close()
        return 0
    return 0


def _inspect(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="cobweb", description="Experiments on iterations.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("run", help="run an experiment: cobweb run [overrides]", add_help=False)
    listing = commands.add_parser("list", help="what there is to choose")
    listing.add_argument("group", nargs="*", help="experiment, map, objective, solver, ...")
    listing.add_argument("--config-dir", "-cd", help="a folder of configs of your own")
    info = commands.add_parser("info", help="what is in an archive")
    info.add_argument("file", help="an archive: result.nc")
    resume = commands.add_parser("resume", help="continue a run that was stopped or killed")
    resume.add_argument("folder", help="the folder of the run")
    _presenting(commands)
    _gathering(commands)
    _proving(commands)
    args = parser.parse_args(list(arguments))
    if args.command in ("verify", "diff"):
        return _verify(args) if args.command == "verify" else _diff(args)
    if args.command == "list":
        from pipeline import inspection

        unknown = [group for group in args.group if group not in inspection.GROUPS]
        if unknown:
            parser.error(
                f"no such group: {', '.join(unknown)} (known: {', '.join(inspection.GROUPS)})"
            )
        print(inspection.listing(tuple(args.group) or inspection.GROUPS, args.config_dir))
    elif args.command == "info":
        from pipeline import inspection

        print(inspection.info(args.file))
    elif args.command == "resume":
        from pipeline import command

        command.resume(args.folder)
    elif args.command == "collect":
        _collect(args)
    elif args.command == "table":
        _table(args)
    elif args.command == "report":
        _report(args)
    else:
        _figure(args)
    return 0


def _proving(commands: Any) -> None:
    """The commands that compare archives."""
    verify = commands.add_parser(
        "verify",
        help="compute an archive again and compare",
        epilog="Exit status: 0 identical (--quick: intact), 1 different, 2 cannot be verified, "
        "3 consistent: the same but for another machine's rounding, 4 corrupt.",
    )
    verify.add_argument("file", help="an archive: result.nc")
    verify.add_argument("--quick", action="store_true", help="only the hashes")
    verify.add_argument(
        "--sample", type=fraction, default=1.0, metavar="F", help="that part of the blocks: 0.01"
    )
    diff = commands.add_parser(
        "diff",
        help="what differs between two archives",
        epilog="Exit status: 0 where documents and results are the same, 1 where they are not.",
    )
    diff.add_argument("first", help="an archive: result.nc")
    diff.add_argument("second", help="another one")
    diff.add_argument(
        "--rtol", type=fraction, default=0.0, metavar="R", help="numbers so near count as equal"
    )


def fraction(text: str) -> float:
    """A number from 0 to 1."""
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, not {text}")
    return number


def _verify(args: argparse.Namespace) -> int:
    """Say whether an archive is what its document gives; the exit status says it too."""
    from pipeline import command, device, verdict, verification

    with device.confined():
        found = verification.verify(
            args.file,
            quick=args.quick,
            sample=args.sample,
            begin=device.start,
            watch=command.progress,
        )
    print(verdict.report(found))
    return found.status


def _diff(args: argparse.Namespace) -> int:
    """Say what differs between two archives; the exit status is 1 where anything does."""
    from pipeline import comparison

    found = comparison.compare(args.first, args.second, args.rtol)
    print(comparison.report(found))
    return int(found.differs)


def _presenting(commands: Any) -> None:
    """The commands that show results to a reader."""
    figure = commands.add_parser("figure", help="draw an archive, or the jobs of a sweep")
    figure.add_argument("file", help="an archive or a sweep, or its folder")
    kind = figure.add_mutually_exclusive_group()
    kind.add_argument("--name", default=None, help="kind of figure, as `list figure` shows them")
    kind.add_argument("--joint", default=None, help="kind of figure of all jobs together, or none")
    figure.add_argument(
        "--work", default=None, help="what that counts: steps, evaluations, seconds"
    )
    figure.add_argument("--style", default=None, help="screen or paper")
    figure.add_argument("--format", action="append", help="png, svg or pdf; may be repeated")
    figure.add_argument("--where", action="append", default=[], help="jobs: map=henon")
    figure.add_argument("--output", "-o", help="folder, or file without ending; beside the archive")
    report = commands.add_parser("report", help="a page with all that matters of a run or a sweep")
    report.add_argument("file", help="an archive or a sweep, or its folder")
    report.add_argument("--output", "-o", help="the page; report.html beside the archive")
    table = commands.add_parser("table", help="the results that are one number a cell")
    table.add_argument("file", help="an archive or a sweep, or its folder")
    table.add_argument("--csv", metavar="FILE", help="write all rows there; - is the output")
    table.add_argument("--variables", metavar="A,B", default="", help="some of the variables")
    table.add_argument(
        "--where", action="append", default=[], help="rows: a>=3.5, status=bounded; may be repeated"
    )


def _gathering(commands: Any) -> None:
    collect = commands.add_parser("collect", help="join all archives below a folder into one")
    collect.add_argument("folder", help="a folder of folders of runs: outputs")
    collect.add_argument("--output", "-o", help="the file; collection.nc in that folder")


def _collect(args: argparse.Namespace) -> None:
    """Join archives, and say by what they are told apart."""
    from pipeline import gathering

    found = gathering.collect(Path(args.folder), Path(args.output) if args.output else None)
    for reason in found.left:
        print(f"left out: {reason}", file=sys.stderr)
    print(f"{found.path}: {found.members:,} archive{'s' * (found.members != 1)}")
    for name, values in found.labels.items():
        shown = ", ".join(v if isinstance(v, str) else f"{v:g}" for v in values[:12])
        print(f"  {name}: {shown}{', ...' * (len(values) > 12)}")


def _table(args: argparse.Namespace) -> None:
    """Print the scalar results, or write them as CSV."""
    from pipeline import presentation

    file = presentation.located(args.file)
    variables = [name.strip() for name in args.variables.split(",") if name.strip()]
    if args.csv is None:
        presentation.show(file, variables, args.where)
    elif args.csv == "-":
        presentation.export(file, sys.stdout, variables, args.where)
    else:
        rows = presentation.export(file, Path(args.csv), variables, args.where)
        print(f"{args.csv}: {rows:,} rows")


def _figure(args: argparse.Namespace) -> None:
    """Draw an archive, or the jobs of a sweep, as the document says or otherwise."""
    from pipeline import presentation

    found = presentation.draw(
        presentation.located(args.file),
        Path(args.output) if args.output else None,
        name=args.name,
        style=args.style,
        formats=args.format or (),
        where=args.where,
        joint=args.joint,
        work=args.work,
    )
    for files, refused in found:
        print(*files, sep="\n") if files else print(refused, file=sys.stderr)


def _report(args: argparse.Namespace) -> None:
    """Write the report of an archive."""
    from pipeline import presentation

    file, target = presentation.located(args.file), args.output
    print(presentation.report(file, Path(target) if target else None))


if __name__ == "__main__":
    sys.exit(main())
