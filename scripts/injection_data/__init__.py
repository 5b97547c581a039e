"""What the injection model is trained on: data sets from a folder, and data that is generated here."""
