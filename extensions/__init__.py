"""Other teams' ways of registering devices: as services beside us, or as packages within."""
