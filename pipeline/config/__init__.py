"""Config: overrides and files -> a document -> the experiment that it describes."""

from pipeline.config.composition import choices, compose
from pipeline.config.document import device_of, read
from pipeline.config.handover import Handover

__all__ = ["Handover", "choices", "compose", "device_of", "read"]
