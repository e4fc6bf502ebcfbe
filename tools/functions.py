"""A suite whose tests are functions of the build directory, each with a server of its own."""
import argparse
import pathlib


def run(tests):
    """Runs those that --only names, prints a line for each, and goes on after one that fails."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    for function in tests:
        if options.only not in function.__name__:
            continue
        try:
            function(options.build.resolve())
            print(f"ok {function.__name__}", flush=True)
        except Exception as error:  # a suite goes on with its next test
            print(f"not ok {function.__name__}: {type(error).__name__}: {' '.join(str(error).split())[:1500]}", flush=True)
