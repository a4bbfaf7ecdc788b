"""Personal data and secrets: found and replaced. `redactor.Redactor` is the way in; one file for each family of finders."""
