"""The console's pages of extensions, and the dialogs that register devices by them."""
