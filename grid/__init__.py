"""A YAML grid spec becomes cells, cells become steps, and steps run somewhere.

    spec/        YAML → a checked spec, every mistake with its place
    cells/       axes and rules → cells; the spec as one cell sees it
    store/       finished steps by key, locks, processes, where results come from
    steps/       what a step does: the only place where the packages meet
    plan/        cells → steps → jobs: their keys, names and expected times
    results/     artifacts → the folder of a grid, results/<name>/
    scheduler/   jobs → free slots: queue, driver, progress
    engines/     Docker Engines: how they are reached, what goes there and comes back
    executors/   where jobs run: in this process, on this machine, in containers, on a Dask cluster
    commands/    what each command does
    cli/         options and help of the commands

Each folder imports from those above it alone; hosts.py says where a grid may run.
"""
