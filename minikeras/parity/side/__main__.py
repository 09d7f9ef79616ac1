"""Run a program with real Keras, watched: `python …/parity/side`.

What to run comes over the connection that the environment names.
"""

import builtins
import importlib
import importlib.util
import os
import pathlib
import runpy
import sys
import traceback
import types


def main() -> int:
    """Run the program; returns its exit status."""
    side = _package_of_this_folder()
    connection = side["connection"].connect()
    program = connection.receive()
    keras = importlib.import_module(program["package"])
    side["aliases"].install(program["package"])
    if program["max_steps"] is not None:
        keras.config.set_max_epochs(1)
        keras.config.set_max_steps_per_epoch(program["max_steps"])
    if program["seed"] is not None:
        keras.utils.set_random_seed(program["seed"])
    facts = {"error": None}
    with side["connection"].watched(keras, connection, facts):
        try:
            _run(program)
        except (Exception, KeyboardInterrupt) as error:
            traceback.print_exc()
            facts["error"] = f"{type(error).__name__}: {error}"
            return 1
    return 0


def _package_of_this_folder():
    """{name: module} of the files beside this one, under a name of our own."""
    folder, name = pathlib.Path(__file__).parent, "_minikeras_parity_side"
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    names = ("aliases", "connection")
    return {x: importlib.import_module(f"{name}.{x}") for x in names}


def _run(program):
    """Run the parts as the main module, with its arguments and folder."""
    sys.argv[:] = [program["path"], *program["arguments"]]
    sys.path[0] = program["folder"]
    if program["is_module"]:
        runpy.run_module(program["path"], run_name="__main__", alter_sys=True)
        return
    if os.path.isdir(program["path"]):
        runpy.run_path(program["path"], run_name="__main__")
        return
    main = types.ModuleType("__main__")
    main.__dict__.update(__builtins__=builtins, __file__=program["path"])
    sys.modules["__main__"] = main
    for name, source in program["parts"]:
        exec(compile(source, name, "exec", dont_inherit=True), main.__dict__)


if __name__ == "__main__":
    sys.exit(main())
