"""Policy as code: Cedar text to checked policies, checked policies to slices, and pure, memoised decisions over facts.

Read `yett.cedarschema` for what a policy may say, `load` for how text becomes policies, `engine` for how one target is
decided, `decision` for how a whole call is, and `explain` for how a past decision is accounted for.
"""
