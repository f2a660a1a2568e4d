from prompts.actions.labels import delete_label, move_label
from prompts.actions.library import load_library
from prompts.actions.versions import add_version, create_prompt

__all__ = ["add_version", "create_prompt", "delete_label", "load_library", "move_label"]
