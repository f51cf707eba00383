"""The shipped choices, one YAML file each: a package only so that a wheel carries them."""
