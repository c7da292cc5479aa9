-- Types into a buffer that was never changed, while an edit is under way that cannot know of it: Neovim tells late.
local steps = require("steps")

local LATE_MS = 3000
local start = vim.lsp.start
vim.lsp.start = function(config, options)
  config.flags = { debounce_text_changes = LATE_MS }
  return start(config, options)
end

steps.play(function()
  steps.answer = function(message)
    return message ~= "" and 1 or 0
  end
  local spec = steps.edit("specs/01-greeter.md")
  steps.wait_for_lens(spec, "1.1 Write the greeting", "Run")
  steps.act(spec, "1.1 Write the greeting", "Run")
  -- Who asks for lenses tells of changes at once.
  vim.api.nvim_clear_autocmds({ event = { "LspAttach", "BufEnter", "CursorHold", "InsertLeave" } })
  local code = steps.edit("greet.py")
  steps.wait("a file read by the agent", function()
    return vim.iter(steps.progress):any(function(value)
      return value.title == "Specloom run"
    end)
  end)
  steps.type_above(code, "def greet", "# my own line")
  steps.release("typed")
  steps.wait("the edit of the agent in the open buffer", function()
    return steps.text(code):find('"!"', 1, true)
  end)
  local wanted = '# my own line\ndef greet(name):\n    return "Hello " + name + "!"\n'
  assert(steps.text(code) == wanted, "the edit is at another line")
  steps.stop(code)
end)
