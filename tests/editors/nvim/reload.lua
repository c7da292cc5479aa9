-- A run is started, the server is restarted while the model is asked, and the run is seen, and ends, in the new one.
local steps = require("steps")

local TASK = "1.1 Write the greeting"

steps.play(function()
  steps.answer = function(message)
    return message ~= "" and 1 or 0
  end
  local spec = steps.edit("specs/01-greeter.md")
  local before = assert(steps.client(spec)).id
  steps.wait_for_lens(spec, TASK, "Run")
  steps.act(spec, TASK, "Run")
  steps.asked("python3 -c")
  steps.wait_for_lens(spec, "---", "Pause run")
  steps.stop(spec)
  vim.g.server_status = nil
  -- Older ones would take up a client that has ended but is still in their list.
  steps.wait("no client", function()
    return #vim.lsp.get_clients({ name = "specloom" }) == 0
  end)
  vim.cmd.edit()
  steps.wait("another client", function()
    local client = steps.client(spec)
    return client and client.id ~= before
  end)
  steps.wait_for_lens(spec, "---", "Pause run")
  steps.release("reloaded")
  steps.wait("the file that the agent wrote", function()
    return steps.disk("greet.py"):find('"Hello " + name', 1, true)
  end)
  steps.wait_for_lens(spec, TASK, "proven")
  steps.wait("the end of the run", function()
    return #steps.progress > 0 and steps.progress[#steps.progress].kind == "end"
  end)
  steps.stop(spec)
end)
