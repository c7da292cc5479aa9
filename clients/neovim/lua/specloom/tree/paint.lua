--- Highlights of the rows that are on the screen, drawn as Neovim draws them: thousands of rows cost nothing.
--- Refuses to know what the rows say.
local M = {}

local space = vim.api.nvim_create_namespace("specloom")
---@type table<integer, { spans: specloom.Span[] }[]> by buffer, then by row from 1
local painted = {}

M.GROUPS = {
  SpecloomTitle = "Title",
  SpecloomSpec = "Directory",
  SpecloomSection = "Title",
  SpecloomFold = "NonText",
  SpecloomDetail = "Comment",
  SpecloomPending = "NonText",
  SpecloomReady = "Normal",
  SpecloomInProgress = "DiagnosticInfo",
  SpecloomDone = "DiagnosticOk",
  SpecloomFailed = "DiagnosticError",
  SpecloomBlocked = "DiagnosticWarn",
  SpecloomStale = "DiagnosticWarn",
  SpecloomSkipped = "NonText",
  SpecloomWaiting = "DiagnosticWarn",
  SpecloomAgent = "Identifier",
  SpecloomPrompt = "DiagnosticHint",
  SpecloomThinking = "Comment",
  SpecloomTool = "Function",
  SpecloomOutput = "NonText",
  SpecloomAdded = "Added",
  SpecloomRemoved = "Removed",
  SpecloomSeparator = "WinSeparator",
}

local function on_line(_, _, buf, row)
  local found = painted[buf][row + 1]
  for _, span in ipairs(found and found.spans or {}) do
    vim.api.nvim_buf_set_extmark(buf, space, row, span[1], {
      end_col = span[2],
      hl_group = span[3],
      ephemeral = true,
      -- A row may have become shorter since.
      strict = false,
    })
  end
end

---The rows of a buffer, to be kept in step with its lines by the caller.
---@param buf integer
---@return { spans: specloom.Span[] }[]
function M.rows(buf)
  if not painted[buf] then
    for group, like in pairs(M.GROUPS) do
      vim.api.nvim_set_hl(0, group, { link = like, default = true })
    end
    vim.api.nvim_set_decoration_provider(space, {
      on_win = function(_, _, shown)
        return painted[shown] ~= nil
      end,
      on_line = on_line,
    })
    painted[buf] = {}
    vim.api.nvim_create_autocmd("BufUnload", {
      buffer = buf,
      once = true,
      callback = function()
        painted[buf] = nil
      end,
    })
  end
  return painted[buf]
end

---Writes lines into a buffer that nobody else can change.
---@param buf integer
---@param from integer row from 0
---@param to integer
---@param lines string[]
function M.write(buf, from, to, lines)
  vim.bo[buf].modifiable = true
  vim.api.nvim_buf_set_lines(buf, from, to, false, lines)
  vim.bo[buf].modifiable = false
  vim.bo[buf].modified = false
end

return M
