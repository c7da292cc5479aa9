--- Keys of an output buffer. Refuses keys that people use to read.
local M = {}

---@param output specloom.Output
---@return specloom.Row?
local function row_of(output)
  return output.sheet.rows[vim.api.nvim_win_get_cursor(0)[1]]
end

---@param output specloom.Output
---@return string? path
---@return integer? line
local function target(output)
  local row = row_of(output)
  if row and row.path then
    return row.path, row.line
  end
  local word = vim.fn.expand("<cWORD>"):gsub("^[%(%[`'\"]+", "")
  local path, line = word:match("^([^:`'\",;%)]+):?(%d*)")
  return path, tonumber(line)
end

---@param output specloom.Output
---@return boolean whether there was a file to go to
local function go(output)
  local path, line = target(output)
  local whole = path and (vim.startswith(path, "/") and path or output.connection.root .. "/" .. path)
  local found = whole and vim.uv.fs_stat(whole)
  if not found or found.type ~= "file" then
    return false
  end
  local place = { uri = vim.uri_from_fname(whole), line = line and line - 1 or 0 }
  require("specloom.tree.places").open(output.connection, place, "edit")
  return true
end

local function fold()
  if vim.fn.foldlevel(".") > 0 then
    vim.cmd("normal! za")
  end
end

local function say(output)
  require("specloom.output.say").open(output.connection, output.agent)
end

local function withdraw(output)
  local row = row_of(output)
  if row and row.prompt then
    output.connection:order("specloom/prompt/withdraw", { promptId = row.prompt })
  end
end

local function go_to_file(output)
  if not go(output) then
    require("specloom.tell").echo("no file is named here")
  end
end

local function go_or_fold(output)
  if not go(output) then
    fold()
  end
end

local function close()
  require("specloom.page").close(0)
end

---@type { [1]: string, [2]: string, [3]: fun(output: specloom.Output)? }[]
local KEYS = {
  { "i", "say something to the agent", say },
  { "x", "take back words that the agent has not heard", withdraw },
  { "gf", "go to the file under the cursor", go_to_file },
  { "<CR>", "go to the file, else open or close the fold", go_or_fold },
  { "<Tab>", "open or close the fold", fold },
  { "q", "close", close },
  { "G", "follow the end again" },
}

---@param output specloom.Output
function M.map(output)
  require("specloom.keys").map(output.buf, "Output", KEYS, { "g?" }, function(act)
    act(output)
  end)
end

return M
