"""What pyproject.toml can't say: the folder configs/ is the package `augrid_configs`."""

from setuptools import find_namespace_packages, setup

OURS = ["grid*", "transformers_py*", "preprocessing*", "models*", "tasks*", "analysis*"]

setup(packages=[*find_namespace_packages(include=OURS), "augrid_configs"])
