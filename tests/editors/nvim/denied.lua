-- A verify command that the person denies blocks its task, with the command shown; allowed later, it runs.
local steps = require("steps")
