// Elements of the page. Refuses markup in texts.

type Attributes = Readonly<Record<string, string | boolean>>;
type Child = Node | string;

/** An element with attributes (`true`: without a value, `false`: not at all) and what is in it. */
export function element<K extends keyof HTMLElementTagNameMap>(name: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** A button; `label` is what is read out where the text is a sign. */
export function button(text: string, attributes: Attributes, pressed: () => void): HTMLButtonElement {
  const made = element("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", (event) => {
    event.preventDefault();
    event.stopPropagation();
    pressed();
  });
  return made;
}
