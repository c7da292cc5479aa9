-- A text without a last line end, written into an open file: Neovim adds the line end, and the edit counts as made.
local steps = require("steps")

local TASK = "1.1 Write the greeting"

steps.play(function()
  steps.answer = function()
    return 1
  end
  local spec = steps.edit("specs/01-greeter.md")
  local code = steps.edit("greet.py")
  steps.wait_for_lens(spec, TASK, "Run")
  steps.act(spec, TASK, "Run")
  steps.asked("Save 1 file")
  assert(steps.text(code) == 'def greet(name):\n    return "Hello " + name\n', steps.text(code))
  vim.api.nvim_set_current_buf(code)
  vim.cmd.write()
  steps.wait_for_lens(spec, TASK, "proven")
  steps.wait("the end of the run", function()
    return steps.progress[#steps.progress].kind == "end"
  end)
  steps.stop(spec)
end)
