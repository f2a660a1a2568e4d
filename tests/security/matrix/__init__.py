"""Every way into the site, by person, by object: what is answered, and that no word of another university is in it."""
