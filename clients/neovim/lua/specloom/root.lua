--- Which folder is the project of a file: the rule of the command line, from marks alone. Refuses to read any file.
local M = {}

--- Whoever has one of these is a root; the nearest upwards counts.
M.MARKS = { "requirements.md", "specs", ".kiro", ".specify", "specloom.toml", ".git" }

-- Folders inside a project that may hold a mark of their own.
local INSIDE =
  { "^(.+)/docs$", "^(.+)/specs$", "^(.+)/specs/[^/]+$", "^(.+)/%.kiro/", "^(.+)/%.specify/", "^(.+)/%.kiro$" }

---@param path string
local function exists(path)
  return vim.uv.fs_stat(path) ~= nil
end

---@param folder string
local function is_marked(folder)
  for _, mark in ipairs(M.MARKS) do
    if exists(folder .. "/" .. mark) then
      return true
    end
  end
  return exists(folder .. "/docs/requirements.md")
end

--- Whether there is anything for Specloom: a repository alone is none.
---@param root string
function M.has_work(root)
  for _, path in ipairs({
    "requirements.md",
    "docs/requirements.md",
    "specloom.toml",
    ".specloom",
    ".kiro/specs",
    ".specify",
  }) do
    if exists(root .. "/" .. path) then
      return true
    end
  end
  for name in vim.fs.dir(root .. "/specs") do
    if name:find("^%d") then
      return true
    end
  end
  return false
end

--- The nearest folder with a mark, upwards from one; nil if there is none.
---@param folder string absolute
---@return string?
function M.above(folder)
  folder = vim.fs.normalize(folder)
  for _, inside in ipairs(INSIDE) do
    local outer = folder:match(inside)
    if outer and is_marked(outer) then
      return M.above(outer)
    end
  end
  if is_marked(folder) then
    return folder
  end
  local parent = vim.fs.dirname(folder)
  return parent ~= folder and M.above(parent) or nil
end

--- The root of a buffer's file if there is work for Specloom in it, and of the working directory for other buffers.
---@param buf integer
---@return string?
function M.of(buf)
  local name = vim.api.nvim_buf_get_name(buf)
  local root
  if vim.bo[buf].buftype == "" and name ~= "" then
    if name:find("/.git/", 1, true) or name:find("/.specloom/", 1, true) or name:find("^%a[%w+.-]+://") then
      return nil
    end
    root = M.above(vim.fs.dirname(name))
  else
    root = M.above(vim.uv.cwd() or "/")
  end
  return root and M.has_work(root) and root or nil
end

return M
